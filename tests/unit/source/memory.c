/* source: pixels in memory, from callbacks, and the canonical order of axes. */
#include "source/files.h"
#include "support/alloc.h"

static int released;

static void release(void *cookie) {
    released += *(int *)cookie;
}

static void test_array(void **state) {
    (void)state;
    uint16_t data[2][3][4];
    for (int i = 0; i < 24; i++)
        data[i / 12][i / 4 % 3][i % 4] = (uint16_t)i;
    ngff_view view;
    const int64_t shape[] = {2, 3, 4};
    int one = 1;
    ngff_view_init(&view, data, NGFF_UINT16, 3, shape);
    ngff_source *s = NULL;
    released = 0;
    assert_int_equal(ngff_source_of_array(NULL, &view, NULL, release, &one, &s, NULL),
                     NGFF_OK);
    assert_axes(s, "zyx");
    assert_true(s->image.desc.axes[0].scale == 1.0);
    ngff_box box = {3, {1, 1, 1}, {1, 2, 2}};
    uint16_t *got = source_read(s, &box);
    const uint16_t want[] = {17, 18, 21, 22};
    assert_memory_equal(got, want, sizeof want);
    free(got);
    assert_ptr_equal(s->memory->data, data);
    ngff_source_drop(&s);
    assert_int_equal(released, 1);
    ngff_source_drop(&s);
    ngff_source_drop(NULL);
}

/* Pixels that a kernel could not take as they lie are read, never looked at. */
static void test_array_that_is_not_looked_at(void **state) {
    (void)state;
    uint16_t data[40];
    const int64_t shape[] = {2, 3, 4};
    for (int i = 0; i < 3; i++) {
        ngff_view view;
        ngff_source *s = NULL;
        ngff_view_init(&view, data, NGFF_UINT16, 3, shape);
        if (i == 0)
            view.data = (char *)data + 1;
        else if (i == 1)
            view.strides[1] = 9;
        else
            view.strides[2] = -2, view.data = &data[3];
        assert_int_equal(ngff_source_of_array(NULL, &view, NULL, NULL, NULL, &s, NULL),
                         NGFF_OK);
        assert_null(s->memory);
        ngff_source_drop(&s);
    }
}

static void test_array_with_description(void **state) {
    (void)state;
    uint8_t data[12];
    for (int i = 0; i < 12; i++)
        data[i] = (uint8_t)i;
    ngff_view view;
    const int64_t shape[] = {2, 3, 2};
    ngff_view_init(&view, data, NGFF_UINT8, 3, shape);
    ngff_channel channels[2] = {{.label = "r"}, {.label = "g"}};
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    desc.dtype = NGFF_UINT8;
    desc.ndim = 3;
    memcpy(desc.shape, shape, sizeof shape);
    strcpy(desc.axes[0].name, "y");
    strcpy(desc.axes[1].name, "x");
    strcpy(desc.axes[2].name, "c");
    desc.axes[1].scale = 2.5;
    desc.channels = channels;
    desc.channel_count = 2;
    strcpy(desc.name, "mine");
    ngff_source *s = NULL;
    assert_int_equal(ngff_source_of_array(NULL, &view, &desc, NULL, NULL, &s, NULL),
                     NGFF_OK);
    assert_axes(s, "cyx");
    assert_string_equal(s->image.desc.axes[0].type, "channel");
    assert_true(s->image.desc.axes[2].scale == 2.5);
    assert_true(s->image.desc.axes[1].scale == 1.0);
    assert_string_equal(s->image.desc.name, "mine");
    channels[1].label[0] = 'X';
    assert_string_equal(s->image.desc.channels[1].label, "g");
    ngff_box box = whole(s);
    uint8_t *got = source_read(s, &box);
    const uint8_t want[] = {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11};
    assert_memory_equal(got, want, sizeof want);
    free(got);
    ngff_source_drop(&s);
}

static void test_array_refused(void **state) {
    (void)state;
    uint8_t data[4] = {0};
    const int64_t shape[] = {2, 2};
    ngff_view view;
    ngff_view_init(&view, data, NGFF_UINT8, 2, shape);
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    desc.dtype = NGFF_UINT8;
    desc.ndim = 2;
    desc.shape[0] = 2;
    desc.shape[1] = 3;
    ngff_source *s = NULL;
    int one = 1;
    released = 0;
    assert_int_equal(ngff_source_of_array(NULL, &view, &desc, release, &one, &s, NULL),
                     NGFF_INVALID);
    desc.shape[1] = 2;
    strcpy(desc.axes[0].name, "q");
    strcpy(desc.axes[1].name, "x");
    assert_int_equal(ngff_source_of_array(NULL, &view, &desc, release, &one, &s, NULL),
                     NGFF_INVALID);
    desc.axes[0].name[0] = 'y';
    desc.channel_count = 1;
    assert_int_equal(ngff_source_of_array(NULL, &view, &desc, release, &one, &s, NULL),
                     NGFF_INVALID);
    view.dtype = 99;
    assert_int_equal(ngff_source_of_array(NULL, &view, NULL, release, &one, &s, NULL),
                     NGFF_INVALID);
    view.dtype = NGFF_UINT8;
    view.shape[0] = 0;
    assert_int_equal(ngff_source_of_array(NULL, &view, NULL, release, &one, &s, NULL),
                     NGFF_INVALID);
    view.data = NULL;
    assert_int_equal(ngff_source_of_array(NULL, &view, NULL, release, &one, &s, NULL),
                     NGFF_INVALID);
    assert_null(s);
    assert_int_equal(released, 0); /* a failed call takes nothing over */
}

static ngff_status ramp(void *cookie, const ngff_box *box, const ngff_view *out,
                        ngff_error *err) {
    (void)err;
    if (*(int *)cookie == 7)
        return (ngff_status)-99;
    for (int64_t i = 0; i < box->shape[0]; i++) {
        for (int64_t k = 0; k < box->shape[1]; k++)
            *((char *)out->data + i * out->strides[0] + k * out->strides[1]) =
                (char)(10 * (box->start[0] + i) + box->start[1] + k);
    }
    return NGFF_OK;
}

static void test_callback(void **state) {
    (void)state;
    int cookie = 3;
    ngff_source_ops ops = {.struct_size = sizeof ops,
                           .read_region = ramp,
                           .release = release,
                           .reentrant = 1,
                           .unit = {100, 0}};
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    desc.dtype = NGFF_UINT8;
    desc.ndim = 2;
    desc.shape[0] = 3;
    desc.shape[1] = 4;
    strcpy(desc.axes[0].name, "x"); /* turned by the source */
    strcpy(desc.axes[1].name, "y");
    ngff_source *s = NULL;
    ngff_error err = {0};
    assert_int_equal(ngff_source_of_callbacks(NULL, &ops, &cookie, &desc, &s, NULL),
                     NGFF_OK);
    assert_axes(s, "yx");
    assert_int_equal(s->traits.unit[1], 3);
    assert_int_equal(s->traits.unit[0], 1);
    assert_true(s->traits.reentrant);
    ngff_box box = {2, {1, 1}, {2, 2}};
    char *got = source_read(s, &box);
    const char want[] = {11, 21, 12, 22};
    assert_memory_equal(got, want, 4);
    free(got);
    released = 0;
    cookie = 7;
    char memory[4];
    ngff_view view;
    ngff_view_init(&view, memory, NGFF_UINT8, 2, box.shape);
    assert_int_equal(ngff_source_read(s, &box, &view, &err), NGFF_IO);
    assert_int_equal(err.origin, NGFF_ORIGIN_INPUT);
    assert_true(err.message[0] != '\0');
    ngff_source_drop(&s);
    assert_int_equal(released, 7);
    ops.read_region = NULL;
    assert_int_equal(ngff_source_of_callbacks(NULL, &ops, &cookie, &desc, &s, NULL),
                     NGFF_INVALID);
    ops.read_region = ramp;
    assert_int_equal(ngff_source_of_callbacks(NULL, &ops, &cookie, NULL, &s, NULL),
                     NGFF_INVALID);
    ops.struct_size = offsetof(ngff_source_ops, release); /* an older, shorter table */
    assert_int_equal(ngff_source_of_callbacks(NULL, &ops, &cookie, &desc, &s, NULL),
                     NGFF_OK);
    ngff_source_drop(&s);
    assert_int_equal(released, 7);
}

/* Every order of five axes: element (i, j, …) lands where its axis says. */
static void test_all_orders(void **state) {
    (void)state;
    static const char names[] = "tczyx";
    const int64_t extent[] = {2, 3, 1, 4, 2}; /* of t, c, z, y, x */
    int order[5];
    for (int code = 0; code < 3125; code++) {
        unsigned used = 0;
        for (int i = 0, rest = code; i < 5; i++, rest /= 5)
            used |= 1u << (order[i] = rest % 5);
        if (used != 31)
            continue;
        uint16_t data[48];
        ngff_view view;
        ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
        desc.ndim = 5;
        desc.dtype = NGFF_UINT16;
        for (int i = 0; i < 5; i++) {
            desc.shape[i] = extent[order[i]];
            desc.axes[i].name[0] = names[order[i]];
        }
        ngff_view_init(&view, data, NGFF_UINT16, 5, desc.shape);
        ngff_box box = {.ndim = 5};
        memcpy(box.shape, desc.shape, sizeof desc.shape);
        int64_t idx[NGFF_MAX_NDIM] = {0};
        size_t at = 0;
        do {
            int value = 0, digits[5];
            for (int i = 0; i < 5; i++)
                digits[order[i]] = (int)idx[i];
            for (int i = 0; i < 5; i++)
                value = value * 5 + digits[i];
            data[at++] = (uint16_t)value;
        } while (ngff_box_next(&box, idx));
        ngff_source *s = NULL;
        assert_int_equal(ngff_source_of_array(NULL, &view, &desc, NULL, NULL, &s, NULL),
                         NGFF_OK);
        assert_axes(s, names);
        ngff_box all = whole(s);
        uint16_t *got = source_read(s, &all);
        int64_t where[NGFF_MAX_NDIM] = {0};
        at = 0;
        do {
            int value = 0;
            for (int i = 0; i < 5; i++)
                value = value * 5 + (int)where[i];
            assert_int_equal(got[at++], value);
        } while (ngff_box_next(&all, where));
        free(got);
        ngff_source_drop(&s);
    }
}

static void test_allocation_failures(void **state) {
    (void)state;
    static const char npy[] = "\x93NUMPY\x01\x00\x3d\x00{'descr': '|u1', "
                              "'fortran_order': False, 'shape': (2, 2), }  abcd";
    file_write(".npy", npy, sizeof npy - 1);
    const ngff_source_open_opts opts = {.dims = "xy"};
    failing_alloc f;
    failing_init(&f);
    ngff_status status = NGFF_NOMEM;
    for (long at = 0; status != NGFF_OK; at++) {
        ngff_source *s = NULL;
        ngff_error err = {0};
        failing_arm(&f, at);
        status = ngff_source_at(&f.ops, file_path, &opts, &s, &err);
        assert_true(status == NGFF_OK || status == NGFF_NOMEM);
        assert_int_equal(status == NGFF_OK, s != NULL);
        ngff_source_drop(&s);
        assert_int_equal(f.live, 0);
    }
    unlink(file_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_array_that_is_not_looked_at),
        cmocka_unit_test(test_array_with_description),
        cmocka_unit_test(test_array_refused),
        cmocka_unit_test(test_callback),
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
