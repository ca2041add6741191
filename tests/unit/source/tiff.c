/* source: the parts of TIFF reading that files alone do not show: the cache of tiles
 * under pressure, the order of names, and tiny files of hostile bytes. Values against
 * another reader are tests/interop/test_tiff_source.py. */
#include "source/tiff.h"
#include "source/files.h"
#include "source/ome_xml.h"

/* ---- the cache
 * ------------------------------------------------------------------------- */

static void *fetch(ngff_tiff_cache *c, uint64_t unit, size_t size, bool expect_fill) {
    ngff_tiff_blob *b = NULL;
    bool fill = false;
    assert_int_equal(ngff_tiff_cache_get(c, 1, unit, size, &b, &fill, NULL), NGFF_OK);
    assert_int_equal(fill, expect_fill);
    if (fill) {
        memset(b->data, (int)unit, size);
        ngff_tiff_cache_filled(c, b, true);
    }
    assert_int_equal(*(unsigned char *)b->data, (int)unit);
    return b;
}

static void test_cache_keeps_the_latest(void **state) {
    (void)state;
    ngff_tiff_cache *c = NULL;
    assert_int_equal(ngff_tiff_cache_open(NULL, 300, &c, NULL), NGFF_OK);
    for (uint64_t unit = 0; unit < 3; unit++)
        ngff_tiff_cache_release(c, fetch(c, unit, 100, true));
    ngff_tiff_cache_release(c, fetch(c, 0, 100, false)); /* 1 is the oldest now */
    ngff_tiff_cache_release(c, fetch(c, 3, 100, true));
    ngff_tiff_cache_release(c, fetch(c, 0, 100, false));
    ngff_tiff_cache_release(c, fetch(c, 2, 100, false));
    ngff_tiff_cache_release(c, fetch(c, 1, 100, true));
    ngff_tiff_cache_close(&c);
    assert_null(c);
}

static void test_cache_may_hold_more_while_pinned(void **state) {
    (void)state;
    ngff_tiff_cache *c = NULL;
    ngff_tiff_blob *pinned[5];
    assert_int_equal(ngff_tiff_cache_open(NULL, 150, &c, NULL), NGFF_OK);
    for (uint64_t unit = 0; unit < 5; unit++)
        pinned[unit] = fetch(c, unit, 100, true);
    for (uint64_t unit = 0; unit < 5; unit++)
        ngff_tiff_cache_release(c, pinned[unit]);
    ngff_tiff_cache_release(c, fetch(c, 4, 100, false)); /* the last one stayed */
    ngff_tiff_cache_release(c, fetch(c, 0, 100, true));
    ngff_tiff_cache_close(&c);
}

static void test_cache_forgets_what_failed(void **state) {
    (void)state;
    ngff_tiff_cache *c = NULL;
    ngff_tiff_blob *b = NULL;
    bool fill = false;
    assert_int_equal(ngff_tiff_cache_open(NULL, 1000, &c, NULL), NGFF_OK);
    assert_int_equal(ngff_tiff_cache_get(c, 1, 7, 10, &b, &fill, NULL), NGFF_OK);
    assert_true(fill);
    ngff_tiff_cache_filled(c, b, false);
    ngff_tiff_cache_release(c, fetch(c, 7, 10, true));
    ngff_tiff_cache_close(&c);
}

typedef struct sharer {
    ngff_tiff_cache *cache;
    int filled;
} sharer;

static void share(void *arg) {
    sharer *s = arg;
    for (uint64_t n = 0; n < 2000; n++) {
        ngff_tiff_blob *b = NULL;
        bool fill = false;
        uint64_t unit = n * 7 % 50;
        if (ngff_tiff_cache_get(s->cache, 1, unit, 64, &b, &fill, NULL) != NGFF_OK)
            return;
        if (fill) {
            bool ok = n % 5 != 0;
            memset(b->data, (int)unit, 64);
            s->filled++;
            ngff_tiff_cache_filled(s->cache, b, ok);
            if (!ok)
                continue;
        }
        if (((unsigned char *)b->data)[63] != unit)
            s->filled = -1000000;
        ngff_tiff_cache_release(s->cache, b);
    }
}

static void test_cache_between_threads(void **state) {
    (void)state;
    ngff_tiff_cache *c = NULL;
    ngff_thread *thread[4];
    sharer sharers[4];
    assert_int_equal(ngff_tiff_cache_open(NULL, 64 * 20, &c, NULL), NGFF_OK);
    for (int i = 0; i < 4; i++) {
        sharers[i] = (sharer){c, 0};
        assert_int_equal(ngff_thread_start(NULL, share, &sharers[i], &thread[i], NULL),
                         NGFF_OK);
    }
    for (int i = 0; i < 4; i++) {
        ngff_thread_join(&thread[i]);
        assert_true(sharers[i].filled >= 0);
    }
    ngff_tiff_cache_close(&c);
}

/* ---- files made by hand
 * ---------------------------------------------------------------- */

typedef struct maker {
    unsigned char bytes[4096];
    size_t size;
} maker;

static void begin(maker *m) {
    memset(m, 0, sizeof *m);
    memcpy(m->bytes, "II\x2a\0\x08\0\0\0", 8);
    m->size = 8;
}

/* One directory; each entry is tag, type, count, value. */
static void directory(maker *m, const uint32_t (*entries)[4], size_t count,
                      uint32_t next) {
    ngff_store_u16le(m->bytes + m->size, (uint16_t)count);
    m->size += 2;
    for (size_t i = 0; i < count; i++) {
        unsigned char *p = m->bytes + m->size;
        ngff_store_u16le(p, (uint16_t)entries[i][0]);
        ngff_store_u16le(p + 2, (uint16_t)entries[i][1]);
        ngff_store_u32le(p + 4, entries[i][2]);
        ngff_store_u32le(p + 8, entries[i][3]);
        m->size += 12;
    }
    ngff_store_u32le(m->bytes + m->size, next);
    m->size += 4;
}

static void page(maker *m, uint32_t side, uint32_t data, uint32_t next) {
    const uint32_t entries[][4] = {{256, 4, 1, side},
                                   {257, 4, 1, side},
                                   {258, 3, 1, 8},
                                   {273, 4, 1, data},
                                   {279, 4, 1, side * side}};
    directory(m, entries, 5, next);
}

static void test_one_page(void **state) {
    (void)state;
    maker m;
    begin(&m);
    page(&m, 2, 8 + 66, 0);
    memcpy(m.bytes + m.size, "\1\2\3\4", 4);
    file_write(".tif", m.bytes, m.size + 4);
    ngff_source *s = source_open(NULL);
    assert_axes(s, "yx");
    assert_string_equal(s->ops->kind, "tiff");
    ngff_box box = whole(s);
    void *got = source_read(s, &box);
    assert_memory_equal(got, "\1\2\3\4", 4);
    free(got);
    ngff_source_drop(&s);
    file_write(".tif", m.bytes, m.size + 3); /* the last pixel is missing */
    source_refused(NULL, NGFF_FORMAT);
}

static void test_chain_in_a_circle(void **state) {
    (void)state;
    maker m;
    begin(&m);
    page(&m, 2, 8, 8 + 66);
    page(&m, 2, 8, 8 + 132);
    page(&m, 2, 8, 8 + 66);
    file_write(".tif", m.bytes, m.size);
    source_refused(NULL, NGFF_FORMAT);
}

static void test_chain_beyond_the_file(void **state) {
    (void)state;
    maker m;
    begin(&m);
    page(&m, 2, 8, 4000);
    file_write(".tif", m.bytes, m.size);
    source_refused(NULL, NGFF_FORMAT);
}

static void test_bombs(void **state) {
    (void)state;
    const uint32_t big = 0x7fffffff;
    const uint32_t cases[][4][4] = {
        {{256, 4, 1, big}, {257, 4, 1, big}, {259, 3, 1, 8}, {273, 4, 1, 8}},
        {{256, 4, 1, big}, {257, 4, 1, big}, {278, 4, 1, 1}, {273, 4, 1, 8}},
        {{256, 4, 1, 0xffffffff}, {257, 4, 1, 1}, {259, 3, 1, 8}, {273, 4, 1, 8}},
        {{256, 4, 1, 64}, {257, 4, 1, 64}, {277, 3, 1, 0}, {273, 4, 1, 8}},
        {{256, 4, 1, 64}, {257, 4, 1, 64}, {258, 3, 1, 999}, {273, 4, 1, 8}},
        {{256, 4, 1, 64}, {257, 4, 1, 64}, {258, 3, 1, 8}, {273, 4, big, 8}},
        {{256, 4, 1, 64}, {257, 4, 1, 64}, {322, 4, 1, 0}, {324, 4, 1, 8}},
        {{254, 4, 1, 0}, {257, 4, 1, 64}, {258, 3, 1, 8}, {273, 4, 1, 8}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        maker m;
        ngff_source *s = NULL;
        ngff_error err = {0};
        begin(&m);
        directory(&m, cases[i], 4, 0);
        file_write(".tif", m.bytes, m.size + 64);
        ngff_status status = ngff_source_at(NULL, file_path, NULL, &s, &err);
        if (status == NGFF_OK || status == NGFF_INTERNAL || status == NGFF_NOMEM)
            fail_msg("case %zu: status %d: %s", i, status, err.message);
        assert_null(s);
    }
}

static long allocations_left;

static void *take(void *user, size_t size) {
    (void)user;
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void give(void *user, void *block) {
    (void)user;
    free(block);
}

/* Every allocation fails once: an honest NOMEM, and nothing leaks. */
static void test_allocations(void **state) {
    (void)state;
    const ngff_allocator a = {take, give, NULL};
    ngff_status status = NGFF_NOMEM;
    maker m;
    begin(&m);
    page(&m, 2, 8 + 66, 0);
    file_write(".tif", m.bytes, m.size + 4);
    for (long n = 0; status != NGFF_OK && n < 1000; n++) {
        unsigned char out[4];
        ngff_view view;
        ngff_error err = {0};
        ngff_source *s = NULL;
        const ngff_source_open_opts opts = {.series = -1, .threads = 1};
        allocations_left = n;
        status = ngff_source_at(&a, file_path, &opts, &s, &err);
        if (status == NGFF_OK) {
            ngff_box box = whole(s);
            ngff_view_init(&view, out, NGFF_UINT8, 2, box.shape);
            status = ngff_source_read(s, &box, &view, &err);
            ngff_source_drop(&s);
        }
        assert_true(status == NGFF_OK || status == NGFF_NOMEM);
    }
    assert_int_equal(status, NGFF_OK);
}

/* ---- OME-XML
 * --------------------------------------------------------------------------- */

static ngff_status parse(const char *text, ngff_ome_xml *x) {
    ngff_error err = {0};
    ngff_status status = ngff_ome_xml_parse(NULL, text, strlen(text), x, &err);
    assert_int_equal(status == NGFF_OK, err.message[0] == '\0');
    return status;
}

static void test_ome_xml(void **state) {
    (void)state;
    ngff_ome_xml x;
    const char *text =
        "<ome:OME xmlns:ome='http://x' UUID='urn:uuid:1'><Channel Name='stray'/>"
        "<ome:Image Name='a &amp; b'><Pixels DimensionOrder='XYCZT' SizeX='5' SizeY='4' "
        "SizeZ='3' SizeC='2' SizeT='1' PhysicalSizeX='0.5' PhysicalSizeZ='x'>"
        "<Channel Name='red' Color='-16776961' SamplesPerPixel='1'/><Channel/>"
        "<TiffData IFD='2' FirstC='1' PlaneCount='3'><UUID "
        "FileName='b.tif'>urn:uuid:2</UUID>"
        "</TiffData></Pixels></ome:Image></ome:OME>";
    assert_int_equal(parse(text, &x), NGFF_OK);
    assert_int_equal(x.image_count, 1);
    assert_string_equal(ngff_ome_xml_text(&x, x.uuid), "urn:uuid:1");
    const ngff_xml_image *m = &x.images[0];
    assert_string_equal(ngff_ome_xml_text(&x, m->name), "a & b");
    assert_string_equal(m->order, "XYCZT");
    assert_int_equal(m->size[NGFF_TIFF_Z], 3);
    assert_true(m->spacing[NGFF_TIFF_X] == 0.5 && m->spacing[NGFF_TIFF_Z] == 0.0);
    assert_string_equal(m->unit[NGFF_TIFF_X], "\xc2\xb5m");
    assert_int_equal(m->channel_count, 2);
    assert_int_equal(x.channels[m->channel_first].color, 0xff0000ff);
    assert_int_equal(m->data_count, 1);
    assert_int_equal(x.data[0].first[NGFF_TIFF_C], 1);
    assert_string_equal(ngff_ome_xml_text(&x, x.data[0].file), "b.tif");
    assert_string_equal(ngff_ome_xml_text(&x, x.data[0].uuid), "urn:uuid:2");
    ngff_ome_xml_reset(&x);
}

static void test_ome_xml_refuses(void **state) {
    (void)state;
    const char *texts[] = {"<!DOCTYPE OME [<!ENTITY a 'b'>]><OME/>",
                           "<OME>",
                           "<OME><Image><Pixels/></Image></OME>",
                           "<OME><Image><Pixels SizeX='1' SizeY='1' SizeZ='1' SizeC='1' "
                           "SizeT='0'/></Image></OME>",
                           "",
                           "OME"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ngff_ome_xml x;
        assert_int_equal(parse(texts[i], &x), NGFF_FORMAT);
        ngff_ome_xml_reset(&x);
    }
    char deep[1000] = "<OME>";
    for (int i = 0; i < 100; i++)
        strcat(deep, "<a>");
    ngff_ome_xml x;
    assert_int_equal(parse(deep, &x), NGFF_LIMIT);
    ngff_ome_xml_reset(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cache_keeps_the_latest),
        cmocka_unit_test(test_cache_may_hold_more_while_pinned),
        cmocka_unit_test(test_cache_forgets_what_failed),
        cmocka_unit_test(test_cache_between_threads),
        cmocka_unit_test(test_one_page),
        cmocka_unit_test(test_chain_in_a_circle),
        cmocka_unit_test(test_chain_beyond_the_file),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_ome_xml),
        cmocka_unit_test(test_ome_xml_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
