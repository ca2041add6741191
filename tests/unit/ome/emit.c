/* ome: documents as they are written, compared with the text ngff-zarr 0.50 writes for
 * the same image. */
#include "ome/ome.h"
#include "support/cmocka.h"

#include <math.h>
#include <stdlib.h>

static void fill(ngff_ome_multiscales *m, ngff_version version) {
    *m = (ngff_ome_multiscales){.version = version,
                                .image = {.desc = NGFF_IMAGE_DESC_INIT}};
    ngff_image_desc *desc = &m->image.desc;
    desc->ndim = 3;
    desc->dtype = NGFF_UINT16;
    assert_int_equal(ngff_ome_axes_from_dims("cyx", 3, desc->axes, NULL), NGFF_OK);
    strcpy(desc->axes[1].unit, "µm");
    strcpy(desc->axes[2].orientation, "left-to-right");
    strcpy(desc->name, "im");
    desc->shape[0] = 2;
    desc->shape[1] = desc->shape[2] = 8;
    m->level_count = 2;
    for (int i = 0; i < 2; i++) {
        m->level[i] = (ngff_ome_dataset){.scale = {1, 0.65 * (1 << i), 1 << i},
                                         .translation = {0, 0.325 * i, 0.5 * i},
                                         .has_translation = true};
        strcpy(m->level[i].path, i ? "scale1/im" : "scale0/im");
    }
    strcpy(m->type, "itkwasm_gaussian");
}

static void assert_text(const ngff_ome_multiscales *m, const ngff_ome_emit_opts *opts,
                        const char *want) {
    ngff_json *doc = NULL;
    ngff_error err = {0};
    assert_int_equal(ngff_ome_emit(m, opts, &doc, &err), NGFF_OK);
    ngff_buf text;
    ngff_buf_init(&text, NULL, 1 << 20);
    assert_int_equal(ngff_json_print(doc, 0, &text, &err), NGFF_OK);
    /* Blanks are the printer's affair. */
    ngff_json *expected = NULL;
    assert_int_equal(
        ngff_json_parse(want, strlen(want), NGFF_JSON_STRICT, &expected, &err), NGFF_OK);
    ngff_buf expected_text;
    ngff_buf_init(&expected_text, NULL, 1 << 20);
    assert_int_equal(ngff_json_print(expected, 0, &expected_text, &err), NGFF_OK);
    assert_string_equal(text.data, expected_text.data);
    ngff_buf_reset(&text);
    ngff_buf_reset(&expected_text);
    ngff_json_close(&doc);
    ngff_json_close(&expected);
}

#define AXES                                                                             \
    "[{\"name\":\"c\",\"type\":\"channel\"},{\"name\":\"y\",\"type\":\"space\","         \
    "\"unit\":\"micrometer\"},{\"name\":\"x\",\"type\":\"space\"}]"
#define DATASET(path, s, t)                                                              \
    "{\"path\":\"" path "\",\"coordinateTransformations\":[{\"scale\":[" s               \
    "],\"type\":\"scale\"},{\"translation\":[" t "],\"type\":\"translation\"}]}"
#define DATASETS                                                                         \
    "[" DATASET("scale0/im", "1.0,0.65,1.0", "0.0,0.0,0.0") "," DATASET(                 \
        "scale1/im", "1.0,1.3,2.0", "0.0,0.325,0.5") "]"

static void test_v04(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    fill(&m, NGFF_V04);
    static const char text[] = "{\"method\":\"m\",\"gone\":null,\"list\":[1,null]}";
    assert_int_equal(
        ngff_json_parse(text, sizeof text - 1, NGFF_JSON_STRICT, &m.metadata, NULL),
        NGFF_OK);
    assert_text(&m, NULL,
                "{\"multiscales\":[{\"axes\":" AXES ",\"datasets\":" DATASETS
                ",\"name\":\"im\",\"version\":\"0.4\",\"type\":\"itkwasm_gaussian\","
                "\"metadata\":{\"method\":\"m\",\"list\":[1]},"
                "\"@type\":\"ngff:Image\"}]}");
    ngff_json_close(&m.metadata);
}

static void test_v05(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    fill(&m, NGFF_V05);
    assert_text(&m, NULL,
                "{\"ome\":{\"version\":\"0.5\",\"multiscales\":[{\"axes\":" AXES
                ",\"datasets\":" DATASETS
                ",\"name\":\"im\",\"type\":\"itkwasm_gaussian\","
                "\"@type\":\"ngff:Image\"}]}}");
}

static void test_v06(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    fill(&m, NGFF_V06);
    m.level_count = 1;
    assert_text(&m, NULL,
                "{\"ome\":{\"version\":\"0.6\",\"multiscales\":[{\"coordinateSystems\":[{"
                "\"name\":\"intrinsic\",\"axes\":" AXES "}],\"datasets\":[{\"path\":"
                "\"scale0/im\",\"coordinateTransformations\":[{\"input\":{\"path\":"
                "\"scale0/im\"},\"output\":{\"name\":\"intrinsic\"},\"name\":"
                "\"scale0_to_intrinsic\",\"type\":\"sequence\",\"transformations\":[{"
                "\"scale\":[1.0,0.65,1.0],\"type\":\"scale\"},{\"translation\":[0.0,0.0,"
                "0.0],\"type\":\"translation\"}]}]}],\"name\":\"im\",\"type\":"
                "\"itkwasm_gaussian\",\"@type\":\"ngff:Image\"}]}}");
}

static void test_orientation(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    fill(&m, NGFF_V04);
    m.level_count = 1;
    m.type[0] = '\0';
    const ngff_ome_emit_opts opts = {.orientation = true};
    assert_text(&m, &opts,
                "{\"multiscales\":[{\"axes\":[{\"name\":\"c\",\"type\":\"channel\"},"
                "{\"name\":\"y\",\"type\":\"space\",\"unit\":\"micrometer\"},{\"name\":"
                "\"x\",\"type\":\"space\",\"orientation\":{\"value\":\"left-to-right\","
                "\"type\":\"anatomical\"}}],\"datasets\":[" DATASET(
                    "scale0/im", "1.0,0.65,1.0",
                    "0.0,0.0,0.0") "],\"name\":\"im\","
                                   "\"version\":\"0.4\",\"@type\":\"ngff:Image\"}]}");
}

static const char omero_text[] =
    "{\"channels\":[{\"color\":\"30A2DA\",\"window\":{\"min\":0.0,\"max\":49.0,\"start\":"
    "0.26,\"end\":47.74},\"label\":\"DAPI\",\"active\":true},{\"color\":\"00FF00\","
    "\"window\":{\"min\":0.0,\"max\":65535.0,\"start\":0.0,\"end\":65535.0},\"active\":"
    "false}]}";

static void test_channels(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    fill(&m, NGFF_V05);
    ngff_channel channels[2] = {{.label = "DAPI",
                                 .color = "30A2DA",
                                 .has_window = 1,
                                 .active = 1,
                                 .max = 49,
                                 .start = 0.26,
                                 .end = 47.74},
                                {.color = "zzz", .has_window = 1, .min = NAN}};
    m.image.desc.channels = channels;
    m.image.desc.channel_count = 2;
    ngff_json *doc = NULL, *want = NULL;
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_OK);
    assert_int_equal(
        ngff_json_parse(omero_text, sizeof omero_text - 1, NGFF_JSON_STRICT, &want, NULL),
        NGFF_OK);
    assert_true(ngff_json_equal(ngff_json_get(ngff_json_get(doc, "ome"), "omero"), want));
    ngff_json_close(&doc);
    ngff_json_close(&want);
    /* One entry per index of c, whatever was given; none when not wanted. */
    m.image.desc.channel_count = 1;
    m.version = NGFF_V04;
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_OK);
    const ngff_json *list = ngff_json_get(ngff_json_get(doc, "omero"), "channels");
    assert_int_equal(ngff_json_len(list), 2);
    ngff_json_close(&doc);
    const ngff_ome_emit_opts none = {.no_omero = true};
    assert_int_equal(ngff_ome_emit(&m, &none, &doc, NULL), NGFF_OK);
    assert_null(ngff_json_get(doc, "omero"));
    ngff_json_close(&doc);
}

static void test_refused(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    ngff_json *doc = NULL;
    fill(&m, NGFF_V03);
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_UNSUPPORTED);
    fill(&m, NGFF_V05);
    m.level[1].scale[2] = NAN;
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_INVALID);
    fill(&m, NGFF_V05);
    m.level[1].path[0] = '\0';
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_INVALID);
    fill(&m, NGFF_V05);
    m.level_count = 0;
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_INVALID);
    assert_null(doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v04),      cmocka_unit_test(test_v05),
        cmocka_unit_test(test_v06),      cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_channels), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
