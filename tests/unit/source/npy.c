/* source: npy and raw files: every data type and byte order, C and Fortran order, hostile
 * headers. */
#include "source/files.h"
#include "support/random.h"

/* A version 1.0 file with this dictionary, followed by `data`. */
static void write_npy(const char *dict, const void *data, size_t size) {
    static unsigned char file[1 << 20];
    size_t len = strlen(dict);
    assert_true(10 + len + size <= sizeof file);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    ngff_store_u16le(file + 8, (uint16_t)len);
    memcpy(file + 10, dict, len);
    if (size > 0)
        memcpy(file + 10 + len, data, size);
    file_write(".npy", file, 10 + len + size);
}

static void write_array(const char *descr, bool fortran, const char *shape,
                        const void *data, size_t size) {
    char dict[256];
    snprintf(dict, sizeof dict,
             "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", descr,
             fortran ? "True" : "False", shape);
    write_npy(dict, data, size);
}

static void test_every_dtype(void **state) {
    (void)state;
    uint64_t seed = 1;
    for (ngff_dtype d = NGFF_BOOL; d <= NGFF_COMPLEX128; d++) {
        for (int big = 0; big < 2; big++) {
            unsigned char data[12 * 16], want[12 * 16];
            size_t size = 12 * ngff_dtype_size(d);
            for (size_t i = 0; i < size; i++)
                data[i] = (unsigned char)random_next(&seed);
            char typestr[8];
            ngff_dtype_typestr(d, big, typestr);
            write_array(typestr, false, "(2, 3, 2)", data, size);
            memcpy(want, data, size);
            if (big == ngff_host_is_little())
                ngff_nd_swap_packed(want, size / ngff_dtype_swap_size(d),
                                    ngff_dtype_swap_size(d));
            ngff_source *s = source_open(NULL);
            assert_int_equal(s->image.desc.dtype, d);
            assert_axes(s, "zyx");
            ngff_box box = whole(s);
            void *got = source_read(s, &box);
            assert_memory_equal(got, want, size);
            free(got);
            ngff_source_drop(&s);
        }
    }
}

/* Element (t, c, z, y, x) of the test volume. */
static uint32_t value_at(const int64_t *shape, const int64_t *idx) {
    uint32_t v = 0;
    for (int i = 0; i < 5; i++)
        v = v * (uint32_t)shape[i] + (uint32_t)idx[i];
    return v * 2654435761u;
}

static void fill_volume(uint32_t *data, const int64_t *shape, bool fortran) {
    ngff_box box = {.ndim = 5};
    memcpy(box.shape, shape, 5 * sizeof *shape);
    int64_t idx[NGFF_MAX_NDIM] = {0};
    do {
        size_t at = 0;
        for (int i = 0; i < 5; i++) {
            int axis = fortran ? 4 - i : i;
            at = at * (size_t)shape[axis] + (size_t)idx[axis];
        }
        data[at] = value_at(shape, idx);
    } while (ngff_box_next(&box, idx));
}

static void check_box(ngff_source *s, const int64_t *shape, const ngff_box *box) {
    uint32_t *got = source_read(s, box);
    size_t at = 0;
    ngff_box inner = *box;
    int64_t idx[NGFF_MAX_NDIM];
    memcpy(idx, box->start, sizeof idx);
    do {
        assert_int_equal(got[at++], value_at(shape, idx));
    } while (ngff_box_next(&inner, idx));
    free(got);
}

static void test_boxes_of_both_orders(void **state) {
    (void)state;
    static uint32_t data[2 * 3 * 9 * 31 * 150];
    const int64_t shape[5] = {2, 3, 9, 31, 150};
    uint64_t seed = 7;
    for (int fortran = 0; fortran < 2; fortran++) {
        fill_volume(data, shape, fortran);
        write_array("<u4", fortran, "(2, 3, 9, 31, 150)", data, sizeof data);
        ngff_source *s = source_open(NULL);
        assert_axes(s, "tczyx");
        assert_int_equal(s->traits.unit[fortran ? 0 : 4], fortran ? 2 : 150);
        assert_true(s->traits.reentrant && !s->traits.sequential);
        ngff_box box = whole(s);
        check_box(s, shape, &box);
        for (int k = 0; k < 60; k++) {
            for (int i = 0; i < 5; i++) {
                box.start[i] = random_range(&seed, 0, shape[i] - 1);
                box.shape[i] = random_range(&seed, 1, shape[i] - box.start[i]);
                if (k % 3 == 0 && i > 2) {
                    box.start[i] = 0;
                    box.shape[i] = shape[i];
                }
            }
            check_box(s, shape, &box);
        }
        ngff_source_drop(&s);
    }
}

static void test_dims_are_made_canonical(void **state) {
    (void)state;
    const unsigned char data[2 * 3 * 4] = {0,  1,  2,  3,  4,  5,  6,  7,
                                           8,  9,  10, 11, 12, 13, 14, 15,
                                           16, 17, 18, 19, 20, 21, 22, 23};
    write_array("|u1", false, "(2, 3, 4)", data, sizeof data);
    const ngff_source_open_opts opts = {.dims = "yxc", .series = -1};
    ngff_source *s = source_open(&opts);
    assert_axes(s, "cyx");
    assert_int_equal(s->image.desc.shape[0], 4);
    assert_int_equal(s->level_shape[0][1], 2);
    ngff_box box = {3, {1, 0, 1}, {2, 2, 2}};
    unsigned char *got = source_read(s, &box);
    const unsigned char want[8] = {5, 9, 17, 21, 6, 10, 18, 22};
    assert_memory_equal(got, want, 8);
    free(got);
    ngff_source_drop(&s);
}

static void test_name(void **state) {
    (void)state;
    write_array("|u1", false, "(1, 1)", "a", 1);
    ngff_source *s = source_open(NULL);
    assert_true(strncmp(s->image.desc.name, "ngff-test-", 10) == 0);
    assert_null(strstr(s->image.desc.name, ".npy"));
    ngff_source_drop(&s);
}

static void test_requests_are_checked(void **state) {
    (void)state;
    write_array("|u1", false, "(2, 2)", "abcd", 4);
    ngff_source *s = source_open(NULL);
    unsigned char memory[16];
    static const ngff_box bad[] = {{2, {0, 0}, {2, 3}},  {2, {1, 0}, {2, 1}},
                                   {2, {-1, 0}, {1, 1}}, {2, {INT64_MAX, 0}, {1, 1}},
                                   {2, {0, 0}, {-1, 1}}, {1, {0}, {1}},
                                   {3, {0}, {1, 1, 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ngff_view view = {memory, NGFF_UINT8, bad[i].ndim, {0}, {0}};
        memcpy(view.shape, bad[i].shape, sizeof view.shape);
        ngff_error err = {0};
        assert_int_equal(ngff_source_read(s, &bad[i], &view, &err), NGFF_INVALID);
        assert_true(err.message[0] != '\0');
    }
    const ngff_box one = {2, {0, 0}, {1, 1}};
    ngff_view view;
    ngff_view_init(&view, memory, NGFF_UINT16, 2, one.shape);
    assert_int_equal(ngff_source_read(s, &one, &view, NULL), NGFF_INVALID);
    ngff_view_init(&view, memory, NGFF_UINT8, 2, one.shape);
    assert_int_equal(ngff_source_read_level(s, 1, &one, &view, NULL), NGFF_INVALID);
    assert_int_equal(ngff_source_read_level(s, 0, &one, &view, NULL), NGFF_OK);
    ngff_source_drop(&s);
}

static void test_hostile_headers(void **state) {
    (void)state;
    static const struct {
        const char *dict;
        ngff_status status;
    } cases[] = {
        {"", NGFF_FORMAT},
        {"{", NGFF_FORMAT},
        {"{}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (2, 2)", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (2, 2)} x", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': 0, 'shape': (2, 2)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': [2, 2]}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (4)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (2, -2)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (0, 2)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (2, 2.0)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (3, 2)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (9223372036854775807, "
         "9223372036854775807)}",
         NGFF_FORMAT},
        {"{'descr': '<u8', 'fortran_order': True, 'shape': (2147483648, 2147483648)}",
         NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (9999999999999999999999, "
         "1)}",
         NGFF_FORMAT},
        {"{'descr': '<u1', 'shape': (2, 2), 'shape': (2, 2)}", NGFF_FORMAT},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (2, 2), 'more': 1}",
         NGFF_FORMAT},
        {"{'descr': '\\x3cu1', 'fortran_order': False, 'shape': (2, 2)}", NGFF_FORMAT},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2)}", NGFF_UNSUPPORTED},
        {"{'descr': '<U7', 'fortran_order': False, 'shape': (2, 2)}", NGFF_UNSUPPORTED},
        {"{'descr': [('a', '<u1')], 'fortran_order': False, 'shape': (2, 2)}",
         NGFF_UNSUPPORTED},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}",
         NGFF_UNSUPPORTED},
        {"{'descr': '<u1', 'fortran_order': False, 'shape': ()}", NGFF_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_npy(cases[i].dict, "abcd", 4);
        source_refused(NULL, cases[i].status);
    }
}

static void test_hostile_prefixes(void **state) {
    (void)state;
    file_write(".npy", "\x93NUMPY", 6);
    source_refused(NULL, NGFF_FORMAT);
    file_write(".npy", "\x93NUMPY\x04\x00\x00\x00\x00\x00\x00\x00", 14);
    source_refused(NULL, NGFF_UNSUPPORTED);
    file_write(".npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14);
    source_refused(NULL, NGFF_LIMIT);
    file_write(".npy", "\x93NUMPY\x01\x00\xff\xff{}", 12);
    source_refused(NULL, NGFF_FORMAT);
    file_write(".npy", "", 0);
    source_refused(NULL, NGFF_UNSUPPORTED);
    file_write(".gif", "GIF89a\1\0\1\0", 10);
    source_refused(NULL, NGFF_UNSUPPORTED);
    unlink(file_path);
    source_refused(NULL, NGFF_NOT_FOUND);
}

/* Every cut and every changed byte of a header gives an error or an image, never a crash.
 */
static void test_mutations(void **state) {
    (void)state;
    static const char dict[] =
        "{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }\n";
    uint64_t seed = 3;
    for (int k = 0; k < 400; k++) {
        char changed[sizeof dict];
        memcpy(changed, dict, sizeof dict);
        size_t at = (size_t)random_range(&seed, 0, (int64_t)sizeof dict - 2);
        changed[at] = (char)random_range(&seed, 1, 255);
        write_npy(changed, "abcdefghijkl", 12);
        ngff_source *s = NULL;
        ngff_error err = {0};
        ngff_status status = ngff_source_at(NULL, file_path, NULL, &s, &err);
        assert_int_equal(status == NGFF_OK, s != NULL);
        assert_int_equal(status == NGFF_OK, err.message[0] == '\0');
        ngff_source_drop(&s);
    }
}

static void test_cut_while_open(void **state) {
    (void)state;
    write_array("|u1", false, "(2, 2)", "abcd", 4);
    ngff_source *s = source_open(NULL);
    assert_int_equal(truncate(file_path, 70), 0);
    ngff_box box = whole(s);
    unsigned char memory[4];
    ngff_view view;
    ngff_error err = {0};
    ngff_view_init(&view, memory, NGFF_UINT8, 2, box.shape);
    assert_int_equal(ngff_source_read(s, &box, &view, &err), NGFF_FORMAT);
    assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
    ngff_source_drop(&s);
}

static void test_raw(void **state) {
    (void)state;
    const unsigned char data[] = {9, 9, 0, 1, 0, 2, 0, 3, 0, 4};
    file_write(".raw", data, sizeof data);
    ngff_source_open_opts opts = {.raw_ndim = 2,
                                  .raw_shape = {2, 2},
                                  .raw_dtype = NGFF_UINT16,
                                  .raw_big_endian = true,
                                  .raw_offset = 2};
    ngff_source *s = source_open(&opts);
    assert_axes(s, "yx");
    ngff_box box = whole(s);
    uint16_t *got = source_read(s, &box);
    const uint16_t want[] = {1, 2, 3, 4};
    assert_memory_equal(got, want, sizeof want);
    free(got);
    ngff_source_drop(&s);
    opts.raw_offset = 3;
    source_refused(&opts, NGFF_FORMAT);
    opts.raw_offset = INT64_MAX;
    source_refused(&opts, NGFF_FORMAT);
    opts.raw_offset = -1;
    source_refused(&opts, NGFF_INVALID);
    opts.raw_offset = 0;
    opts.raw_dtype = NGFF_DTYPE_NONE;
    source_refused(&opts, NGFF_INVALID);
    opts.raw_dtype = NGFF_UINT8;
    opts.raw_ndim = 9;
    source_refused(&opts, NGFF_INVALID);
    opts.raw_ndim = 2;
    opts.dims = "yq";
    source_refused(&opts, NGFF_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_dtype),
        cmocka_unit_test(test_boxes_of_both_orders),
        cmocka_unit_test(test_dims_are_made_canonical),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_requests_are_checked),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_hostile_prefixes),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_cut_while_open),
        cmocka_unit_test(test_raw),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
