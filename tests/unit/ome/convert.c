/* ome: a document of one version to the other in memory, and back: parse, emit. */
#include "ome/ome.h"
#include "support/cmocka.h"

#include <stdlib.h>

static ngff_json *parsed(const char *text) {
    ngff_json *doc = NULL;
    ngff_error err = {0};
    if (ngff_json_parse(text, strlen(text), NGFF_JSON_STRICT, &doc, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    return doc;
}

/* `from` in version `version`; group-level transforms end up in the datasets. */
static ngff_json *converted(const ngff_json *from, ngff_version version) {
    static const ngff_ome_emit_opts opts = {.orientation = true};
    ngff_ome_multiscales m;
    ngff_json *out = NULL;
    ngff_error err = {0};
    if (ngff_ome_parse(NULL, from, 0, &m, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    m.image.desc.dtype = NGFF_UINT16;
    m.version = version;
    if (ngff_ome_emit(&m, &opts, &out, &err) != NGFF_OK)
        fail_msg("%s", err.message);
    ngff_ome_multiscales_reset(&m);
    return out;
}

static void assert_same(const ngff_json *a, const ngff_json *b) {
    ngff_buf x, y;
    ngff_buf_init(&x, NULL, 1 << 20);
    ngff_buf_init(&y, NULL, 1 << 20);
    assert_int_equal(ngff_json_print(a, 0, &x, NULL), NGFF_OK);
    assert_int_equal(ngff_json_print(b, 0, &y, NULL), NGFF_OK);
    assert_string_equal(x.data, y.data);
    ngff_buf_reset(&x);
    ngff_buf_reset(&y);
}

static const char V04[] =
    "{\"multiscales\":[{\"version\":\"0.4\",\"name\":\"cells\",\"type\":\"gaussian\","
    "\"metadata\":{\"method\":\"m\"},"
    "\"axes\":[{\"name\":\"c\",\"type\":\"channel\"},"
    "{\"name\":\"y\",\"type\":\"space\",\"unit\":\"micrometer\",\"orientation\":"
    "{\"type\":\"anatomical\",\"value\":\"anterior-to-posterior\"}},"
    "{\"name\":\"x\",\"type\":\"space\",\"unit\":\"micrometer\"}],"
    "\"datasets\":[{\"path\":\"0\",\"coordinateTransformations\":["
    "{\"type\":\"scale\",\"scale\":[1,0.5,0.25]},"
    "{\"type\":\"translation\",\"translation\":[0,1,2]}]},"
    "{\"path\":\"1\",\"coordinateTransformations\":["
    "{\"type\":\"scale\",\"scale\":[1,1,0.5]}]}],"
    "\"coordinateTransformations\":[{\"type\":\"scale\",\"scale\":[1,4,2]}]}],"
    "\"omero\":{\"channels\":[{\"label\":\"a\",\"color\":\"FF0000\",\"active\":true,"
    "\"window\":{\"min\":0,\"max\":9,\"start\":1,\"end\":8}}]}}";

static void there_and_back(void **state) {
    (void)state;
    ngff_json *first = parsed(V04);
    ngff_json *v4 = converted(first, NGFF_V04);
    ngff_json *v5 = converted(v4, NGFF_V05);
    ngff_json *again4 = converted(v5, NGFF_V04);
    ngff_json *again5 = converted(again4, NGFF_V05);
    assert_same(v4, again4);
    assert_same(v5, again5);
    assert_null(ngff_json_get(v5, "multiscales"));
    assert_null(ngff_json_get(v5, "omero"));
    assert_non_null(ngff_json_get(ngff_json_get(v5, "ome"), "omero"));
    assert_null(ngff_json_get(v4, "ome"));
    ngff_json_close(&first);
    ngff_json_close(&v4);
    ngff_json_close(&v5);
    ngff_json_close(&again4);
    ngff_json_close(&again5);
}

static double number(const ngff_json *dataset, size_t transform, const char *what,
                     size_t axis) {
    double v = -1;
    const ngff_json *list = ngff_json_get(dataset, "coordinateTransformations");
    const ngff_json *values = ngff_json_get(ngff_json_at(list, transform), what);
    assert_true(ngff_json_f64(ngff_json_at(values, axis), &v));
    return v;
}

static void group_transforms_are_folded(void **state) {
    (void)state;
    ngff_json *first = parsed(V04);
    ngff_json *v5 = converted(first, NGFF_V05);
    const ngff_json *entry =
        ngff_json_at(ngff_json_get(ngff_json_get(v5, "ome"), "multiscales"), 0);
    const ngff_json *fine = ngff_json_at(ngff_json_get(entry, "datasets"), 0);
    assert_null(ngff_json_get(entry, "coordinateTransformations"));
    assert_true(number(fine, 0, "scale", 1) == 2.0);
    assert_true(number(fine, 0, "scale", 2) == 0.5);
    assert_true(number(fine, 1, "translation", 1) == 4.0);
    assert_true(number(fine, 1, "translation", 2) == 4.0);
    ngff_json_close(&first);
    ngff_json_close(&v5);
}

/* R4-4: one axis for each pair of opposites; only where orientation is written. */
static void one_axis_for_each_direction(void **state) {
    (void)state;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_error err = {0};
    desc.ndim = 3;
    ngff_ome_axes_default(3, desc.axes);
    assert_int_equal(ngff_ome_check_orientation(&desc, &err), NGFF_OK);
    strcpy(desc.axes[0].orientation, "cranial-to-caudal");
    strcpy(desc.axes[1].orientation, "left-to-right");
    strcpy(desc.axes[2].orientation, "anterior-to-posterior");
    assert_int_equal(ngff_ome_check_orientation(&desc, &err), NGFF_OK);
    strcpy(desc.axes[2].orientation, "right-to-left");
    assert_int_equal(ngff_ome_check_orientation(&desc, &err), NGFF_INVALID);
    assert_int_equal(ngff_ome_check(&desc, &err), NGFF_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back),
                                       cmocka_unit_test(group_transforms_are_folded),
                                       cmocka_unit_test(one_axis_for_each_direction)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
