/* source: NIfTI files made here byte by byte: both versions and byte orders, plain and
 * gzip, scaling, geometry, RGB, hostile headers. */
#include "source/files.h"
#include "support/random.h"

#include <math.h>
#include <zlib.h>

/* A header under construction; members are set by offset, as the standard lists them. */
typedef struct head {
    unsigned char bytes[544];
    int version;
    bool big;
} head;

static void put_int(head *h, size_t at, int size, int64_t v) {
    for (int i = 0; i < size; i++)
        h->bytes[at + (size_t)(h->big ? size - 1 - i : i)] =
            (unsigned char)((uint64_t)v >> (8 * i));
}

static void put_real(head *h, size_t at1, size_t at2, size_t index, double v) {
    if (h->version == 1) {
        float f = (float)v;
        uint32_t bits;
        memcpy(&bits, &f, 4);
        put_int(h, at1 + 4 * index, 4, bits);
    } else {
        uint64_t bits;
        memcpy(&bits, &v, 8);
        put_int(h, at2 + 8 * index, 8, (int64_t)bits);
    }
}

static void put_dim(head *h, size_t index, int64_t v) {
    if (h->version == 1)
        put_int(h, 40 + 2 * index, 2, v);
    else
        put_int(h, 16 + 8 * index, 8, v);
}

static void put_codes(head *h, int q, int s) {
    put_int(h, h->version == 1 ? 252 : 344, h->version == 1 ? 2 : 4, q);
    put_int(h, h->version == 1 ? 254 : 348, h->version == 1 ? 2 : 4, s);
}

static void put_srow(head *h, const double m[3][4]) {
    for (size_t i = 0; i < 12; i++)
        put_real(h, 280, 400, i, m[i / 4][i % 4]);
}

static size_t head_size(const head *h) {
    return h->version == 1 ? 352 : 544;
}

static head make(int version, bool big, int type, int ndim, const int64_t *dims) {
    head h = {.version = version, .big = big};
    put_int(&h, 0, 4, version == 1 ? 348 : 540);
    memcpy(h.bytes + (version == 1 ? 344 : 4), version == 1 ? "n+1" : "n+2\0\r\n\032\n",
           version == 1 ? 4 : 8);
    put_int(&h, version == 1 ? 70 : 12, 2, type);
    put_dim(&h, 0, ndim);
    for (int i = 0; i < ndim; i++) {
        put_dim(&h, (size_t)i + 1, dims[i]);
        put_real(&h, 76, 104, (size_t)i + 1, i + 1.5);
    }
    if (version == 1)
        put_real(&h, 108, 0, 0, 352);
    else
        put_int(&h, 168, 8, 544);
    return h;
}

/* Compresses as `members` gzip members. */
static size_t gzip(const unsigned char *data, size_t size, unsigned char *out,
                   size_t out_size, int members) {
    size_t used = 0;
    for (int i = 0; i < members; i++) {
        size_t from = size * (size_t)i / (size_t)members;
        size_t to = size * (size_t)(i + 1) / (size_t)members;
        z_stream z = {0};
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
        z.next_in = (Bytef *)(uintptr_t)(data + from);
        z.avail_in = (uInt)(to - from);
        z.next_out = out + used;
        z.avail_out = (uInt)(out_size - used);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        used += z.total_out;
        deflateEnd(&z);
    }
    return used;
}

static unsigned char plain[1 << 21], packed[1 << 21];

static void write_nifti(const head *h, const void *data, size_t size, int gz_members) {
    size_t at = head_size(h);
    assert_true(at + size <= sizeof plain);
    memcpy(plain, h->bytes, at);
    memcpy(plain + at, data, size);
    if (gz_members == 0) {
        file_write(".nii", plain, at + size);
    } else {
        size_t n = gzip(plain, at + size, packed, sizeof packed, gz_members);
        file_write(".nii.gz", packed, n);
    }
}

/* Pixels 0, 1, 2 … of int16 in the header's byte order. */
static void count_up(const head *h, unsigned char *data, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        data[2 * i + h->big] = (unsigned char)i;
        data[2 * i + !h->big] = (unsigned char)(i >> 8);
    }
}

static void test_order_of_axes(void **state) {
    (void)state;
    const int64_t dims[5] = {5, 4, 3, 2, 3};
    for (int k = 0; k < 12; k++) {
        head h = make(1 + k % 2, k / 2 % 2, 4, 5, dims);
        unsigned char data[2 * 360];
        count_up(&h, data, 360);
        write_nifti(&h, data, sizeof data, k / 4);
        ngff_source *s = source_open(NULL);
        assert_axes(s, "tczyx");
        assert_string_equal(s->ops->kind, "nifti");
        assert_int_equal(s->traits.sequential, k >= 4);
        assert_int_equal(s->traits.reentrant, k < 4);
        if (k >= 4)
            assert_int_equal(s->traits.slow_axis, 1); /* c is slowest in the file */
        ngff_box box = whole(s);
        int16_t *got = source_read(s, &box);
        size_t at = 0;
        int64_t i[NGFF_MAX_NDIM] = {0};
        do { /* t c z y x */
            int64_t want = (((i[1] * 2 + i[0]) * 3 + i[2]) * 4 + i[3]) * 5 + i[4];
            assert_int_equal(got[at++], want);
        } while (ngff_box_next(&box, i));
        free(got);
        ngff_source_drop(&s);
    }
}

static void test_scaling(void **state) {
    (void)state;
    const int64_t dims[3] = {3, 2, 2};
    for (int k = 0; k < 8; k++) {
        head h = make(1 + k % 2, k / 2 % 2, 4, 3, dims);
        put_real(&h, 112, 176, 0, 0.25);
        put_real(&h, 116, 184, 0, -3);
        unsigned char data[2 * 12];
        count_up(&h, data, 12);
        write_nifti(&h, data, sizeof data, k / 4);
        ngff_source *s = source_open(NULL);
        assert_int_equal(s->image.desc.dtype, NGFF_FLOAT64);
        ngff_box box = {3, {0, 0, 1}, {2, 2, 2}};
        double *got = source_read(s, &box);
        for (int i = 0; i < 8; i++)
            assert_true(got[i] == 0.25 * (i / 2 * 3 + i % 2 + 1) - 3);
        free(got);
        ngff_source_drop(&s);
        const ngff_source_open_opts raw = {.raw_values = true};
        s = source_open(&raw);
        assert_int_equal(s->image.desc.dtype, NGFF_INT16);
        ngff_source_drop(&s);
    }
    static const double pairs[][2] = {{0, 5}, {1, 0}, {NAN, 1}, {INFINITY, 0}};
    for (size_t i = 0; i < 4; i++) { /* these change nothing */
        head h = make(1, false, 4, 3, dims);
        put_real(&h, 112, 176, 0, pairs[i][0]);
        put_real(&h, 116, 184, 0, pairs[i][1]);
        unsigned char data[24] = {0};
        write_nifti(&h, data, sizeof data, 0);
        ngff_source *s = source_open(NULL);
        assert_int_equal(s->image.desc.dtype, NGFF_INT16);
        ngff_source_drop(&s);
    }
}

static void assert_axis(const ngff_source *s, int i, double scale, double translation,
                        const char *unit, const char *orientation) {
    const ngff_axis *axis = &s->image.desc.axes[i];
    assert_true(fabs(axis->scale - scale) < 1e-6 * scale);
    assert_true(axis->translation == translation);
    assert_string_equal(axis->unit, unit);
    assert_string_equal(axis->orientation, orientation);
}

static void test_geometry(void **state) {
    (void)state;
    const int64_t dims[4] = {2, 2, 2, 2};
    const unsigned char data[16] = {0};
    for (int version = 1; version <= 2; version++) {
        head h = make(version, false, 2, 4, dims);
        put_int(&h, version == 1 ? 123 : 500, 1, 2 + 16); /* mm, ms */
        put_real(&h, 136, 216, 0, 8);                     /* toffset */
        write_nifti(&h, data, sizeof data, 0);
        ngff_source *s = source_open(NULL); /* no form: spacing only */
        assert_axes(s, "tzyx");
        assert_axis(s, 0, 4.5, 8, "millisecond", "");
        assert_axis(s, 1, 3.5, 0, "millimeter", "");
        assert_axis(s, 3, 1.5, 0, "millimeter", "");
        ngff_source_drop(&s);
        /* A quarter turn about z by the qform, third axis flipped. */
        put_codes(&h, 1, 0);
        put_real(&h, 76, 104, 0, -1);
        put_real(&h, 256, 352, 2, sqrt(0.5));
        for (size_t i = 0; i < 3; i++)
            put_real(&h, 268, 376, i, 10.0 * (double)(i + 1));
        write_nifti(&h, data, sizeof data, 0);
        s = source_open(NULL);
        assert_axis(s, 1, 3.5, 30, "millimeter", "superior-to-inferior");
        assert_axis(s, 2, 2.5, 10, "millimeter", "right-to-left");
        assert_axis(s, 3, 1.5, 20, "millimeter", "posterior-to-anterior");
        assert_string_equal(s->note, "");
        ngff_source_drop(&s);
        /* The sform wins. */
        const double m[3][4] = {{-2, 0, 0, 90}, {0, 3, 0, -126}, {0, 0, 3.5, -72}};
        put_srow(&h, m);
        put_codes(&h, 1, 2);
        write_nifti(&h, data, sizeof data, 0);
        s = source_open(NULL);
        assert_axis(s, 1, 3.5, -72, "millimeter", "inferior-to-superior");
        assert_axis(s, 2, 3, -126, "millimeter", "posterior-to-anterior");
        assert_axis(s, 3, 2, 90, "millimeter", "right-to-left");
        ngff_source_drop(&s);
        const double turned[3][4] = {{2, 1, 0, 1}, {-1, 2, 0, 2}, {0, 0, 1, 3}};
        put_srow(&h, turned);
        write_nifti(&h, data, sizeof data, 0);
        s = source_open(NULL);
        assert_axis(s, 3, sqrt(5), 1, "millimeter", "left-to-right");
        assert_non_null(strstr(s->note, "oblique"));
        ngff_source_drop(&s);
        const double broken[3][4] = {{NAN, 1, 0, 1}, {-1, 2, 0, 2}, {0, 0, 1, 3}};
        put_srow(&h, broken);
        put_int(&h, version == 1 ? 123 : 500, 1, 5 + 40); /* no units of length, ppm */
        write_nifti(&h, data, sizeof data, 0);
        s = source_open(NULL);
        assert_axis(s, 3, 1.5, 0, "", "");
        assert_axis(s, 0, 4.5, 8, "", "");
        ngff_source_drop(&s);
    }
}

static void test_rgb(void **state) {
    (void)state;
    const int64_t dims[3] = {3, 2, 2};
    unsigned char data[36];
    for (int i = 0; i < 36; i++)
        data[i] = (unsigned char)i;
    for (int gz = 0; gz < 2; gz++) {
        head h = make(1, true, 128, 3, dims);
        put_real(&h, 112, 176, 0, 2); /* does not apply to colours */
        write_nifti(&h, data, sizeof data, gz);
        ngff_source *s = source_open(NULL);
        assert_axes(s, "czyx");
        assert_int_equal(s->image.desc.dtype, NGFF_UINT8);
        assert_int_equal(s->image.desc.channel_count, 3);
        assert_string_equal(s->image.desc.channels[2].color, "0000FF");
        ngff_box box = {4, {1, 1, 0, 1}, {2, 1, 2, 1}};
        unsigned char *got = source_read(s, &box);
        const unsigned char want[4] = {22, 31, 23, 32};
        assert_memory_equal(got, want, 4);
        free(got);
        ngff_source_drop(&s);
    }
}

/* Going back beyond the window starts over and gives the same pixels. */
static void test_going_back(void **state) {
    (void)state;
    const int64_t dims[3] = {100, 100, 100};
    head h = make(1, false, 4, 3, dims);
    static unsigned char data[2000000];
    uint64_t seed = 5;
    for (size_t i = 0; i < sizeof data; i += 8) {
        uint64_t v = random_next(&seed) & 0x0f0f0f0f0f0f0f0fu;
        memcpy(data + i, &v, 8);
    }
    write_nifti(&h, data, sizeof data, 3);
    ngff_source *s = source_open(NULL);
    for (int k = 0; k < 12; k++) {
        int64_t z = random_range(&seed, 0, 99), y = random_range(&seed, 0, 99);
        ngff_box box = {3, {z, y, 10}, {1, 1, 50}};
        int16_t *got = source_read(s, &box);
        assert_memory_equal(got, data + 2 * ((z * 100 + y) * 100 + 10), 100);
        free(got);
    }
    ngff_source_drop(&s);
}

static void test_damaged_streams(void **state) {
    (void)state;
    const int64_t dims[3] = {100, 100, 60};
    head h = make(1, false, 2, 3, dims);
    static unsigned char data[600000];
    uint64_t seed = 9;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)random_next(&seed);
    write_nifti(&h, data, sizeof data, 1);
    size_t size = gzip(plain, 352 + sizeof data, packed, sizeof packed, 1);
    for (int k = 0; k < 3; k++) {
        static unsigned char changed[1 << 20];
        memcpy(changed, packed, size);
        if (k == 1)
            memset(changed + size / 2, 0xff, 64);
        if (k == 2)
            changed[size - 6] ^= 1; /* the checksum */
        file_write(".nii.gz", changed, k == 0 ? size / 2 : size);
        ngff_source *s = source_open(NULL);
        ngff_box box = whole(s);
        ngff_view view;
        ngff_error err = {0};
        static unsigned char memory[600000];
        ngff_view_init(&view, memory, NGFF_UINT8, 3, box.shape);
        ngff_status status = ngff_source_read(s, &box, &view, &err);
        assert_int_equal(status, NGFF_FORMAT);
        assert_true(strncmp(err.message, file_path, strlen(file_path)) == 0);
        ngff_source_drop(&s);
    }
    /* Fewer pixels than announced. */
    write_nifti(&h, data, 1000, 1);
    ngff_source *s = source_open(NULL);
    ngff_box box = {3, {59, 0, 0}, {1, 1, 1}};
    unsigned char one;
    ngff_view view;
    ngff_view_init(&view, &one, NGFF_UINT8, 3, box.shape);
    assert_int_equal(ngff_source_read(s, &box, &view, NULL), NGFF_FORMAT);
    ngff_source_drop(&s);
}

static void test_refused(void **state) {
    (void)state;
    const int64_t dims[7] = {2, 2, 2, 1, 1, 1, 2};
    const unsigned char data[64] = {0};
    for (int gz = 0; gz < 2; gz++) {
        head h = make(1, false, 2, 7, dims);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_UNSUPPORTED); /* a seventh axis */
        put_dim(&h, 7, 1);
        write_nifti(&h, data, 64, gz);
        ngff_source *s = source_open(NULL);
        assert_axes(s, "tczyx");
        ngff_source_drop(&s);
        put_dim(&h, 0, 8);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT);
        put_dim(&h, 0, 3);
        put_dim(&h, 2, -2);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT);
        put_dim(&h, 2, 32767);
        put_dim(&h, 3, 32767);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT); /* more than the file can hold */
        h = make(1, false, 1536, 3, dims);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_UNSUPPORTED); /* long double */
        h = make(1, false, 2, 3, dims);
        put_real(&h, 108, 0, 0, 8);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT); /* pixels inside the header */
        put_real(&h, 108, 0, 0, NAN);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT);
        h = make(1, false, 2, 3, dims);
        memcpy(h.bytes + 344, "ni1", 4);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_UNSUPPORTED);
        h = make(1, false, 2, 3, dims);
        put_real(&h, 112, 0, 0, 2);
        put_real(&h, 116, 0, 0, INFINITY);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT);
        h = make(1, false, 32, 3, dims);
        put_real(&h, 112, 0, 0, 2);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_UNSUPPORTED); /* complex with a slope */
        h = make(2, false, 64, 3, dims);
        for (size_t i = 1; i <= 3; i++)
            put_dim(&h, i, INT64_MAX);
        write_nifti(&h, data, 64, gz);
        source_refused(NULL, NGFF_FORMAT);
    }
    file_write(".nii.gz", "\x1f\x8b\x08\x00junkjunkjunk", 16);
    source_refused(NULL, NGFF_FORMAT);
}

/* Random bytes in the header: an error or an image, never a crash. */
static void test_mutations(void **state) {
    (void)state;
    const int64_t dims[5] = {2, 2, 2, 2, 2};
    uint64_t seed = 11;
    for (int k = 0; k < 600; k++) {
        head h = make(1 + k % 2, k / 2 % 2, 4, 5, dims);
        unsigned char data[64] = {0};
        for (int i = 0; i < 3; i++)
            h.bytes[random_range(&seed, 0, 543)] = (unsigned char)random_next(&seed);
        write_nifti(&h, data, sizeof data, k / 4 % 2);
        ngff_source *s = NULL;
        ngff_error err = {0};
        ngff_status status = ngff_source_at(NULL, file_path, NULL, &s, &err);
        assert_int_equal(status == NGFF_OK, s != NULL);
        assert_int_equal(status == NGFF_OK, err.message[0] == '\0');
        if (s) {
            ngff_box box = {.ndim = s->image.desc.ndim,
                            .shape = {1, 1, 1, 1, 1, 1, 1, 1}};
            double pixel[2];
            ngff_view view;
            ngff_view_init(&view, pixel, (ngff_dtype)s->image.desc.dtype, box.ndim,
                           box.shape);
            status = ngff_source_read(s, &box, &view, NULL);
            assert_true(status == NGFF_OK || status == NGFF_FORMAT);
        }
        ngff_source_drop(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_axes), cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_geometry),      cmocka_unit_test(test_rgb),
        cmocka_unit_test(test_going_back),    cmocka_unit_test(test_damaged_streams),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
