/* ome: coordinate systems and transformations of 0.6 that a caller adds. */
#include "ome/ome.h"
#include "support/cmocka.h"

#include <stdlib.h>

static ngff_json *parse(const char *text) {
    ngff_json *out = NULL;
    ngff_error err = {0};
    assert_int_equal(ngff_json_parse(text, strlen(text), NGFF_JSON_STRICT, &out, &err),
                     NGFF_OK);
    return out;
}

#define AXES2 "[{\"name\":\"y\",\"type\":\"space\"},{\"name\":\"x\",\"type\":\"space\"}]"
#define AXES3                                                                            \
    "[{\"name\":\"z\",\"type\":\"space\"},{\"name\":\"y\",\"type\":\"space\"},"          \
    "{\"name\":\"x\",\"type\":\"space\"}]"
#define SYSTEMS                                                                          \
    "\"coordinateSystems\":[{\"name\":\"flat\",\"axes\":" AXES2                          \
    "},{\"name\":\"deep\",\"axes\":" AXES3 "}]"
#define ENDS(in, out) "\"input\":{\"name\":\"" in "\"},\"output\":{\"name\":\"" out "\"},"
#define ONE(in, out, rest)                                                               \
    "{" SYSTEMS ",\"coordinateTransformations\":[{" ENDS(in, out) rest "}]}"

/* For an image of two axes. */
static ngff_status check(const char *text, ngff_error *err) {
    ngff_json *more = parse(text);
    ngff_status s = ngff_ome_check_more(more, 2, err);
    ngff_json_close(&more);
    return s;
}

static void test_what_is_right(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{" SYSTEMS "}",
        ONE("intrinsic", "flat", "\"type\":\"identity\""),
        ONE("intrinsic", "flat", "\"type\":\"scale\",\"scale\":[1,0.5]"),
        ONE("deep", "deep", "\"type\":\"translation\",\"translation\":[-1,0,2.5]"),
        ONE("intrinsic", "flat", "\"type\":\"rotation\",\"rotation\":[[0,-1],[1,0]]"),
        ONE("intrinsic", "deep",
            "\"type\":\"affine\",\"affine\":[[1,0,0],[0,1,0],[0,0,9]]"),
        ONE("deep", "flat",
            "\"type\":\"affine\",\"path\":\"coordinateTransformations/a\""),
        ONE("intrinsic", "flat", "\"type\":\"mapAxis\",\"mapAxis\":[1,0]"),
        ONE("intrinsic", "deep", "\"type\":\"projectAxis\",\"createdOutputs\":[2]"),
        ONE("deep", "intrinsic", "\"type\":\"projectAxis\",\"droppedInputs\":[0]"),
        ONE("flat", "flat", "\"type\":\"displacements\",\"path\":\"field\""),
        ONE("intrinsic", "deep", "\"type\":\"coordinates\",\"path\":\"a/field\""),
        ONE("intrinsic", "flat",
            "\"type\":\"bijection\",\"forward\":{\"type\":\"identity\"},\"inverse\":{"
            "\"type\":\"scale\",\"scale\":[1,2]}"),
        ONE("intrinsic", "flat",
            "\"type\":\"byDimension\",\"transformations\":[{\"inputAxes\":[1],"
            "\"outputAxes\":[0],\"transformation\":{\"type\":\"scale\",\"scale\":[2]}},{"
            "\"inputAxes\":[0],\"outputAxes\":[1],\"transformation\":{\"type\":"
            "\"identity\"}}]"),
        ONE("intrinsic", "flat",
            "\"type\":\"sequence\",\"transformations\":[{\"type\":\"projectAxis\","
            "\"createdOutputs\":[0]},{\"type\":\"scale\",\"scale\":[1,2,3]},{\"type\":"
            "\"projectAxis\",\"droppedInputs\":[1]}]"),
        "{\"coordinateTransformations\":[{\"type\":\"identity\",\"input\":{\"name\":"
        "\"intrinsic\"},\"output\":{\"name\":\"own\",\"path\":\"labels/cells\"}}]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ngff_error err = {0};
        if (check(texts[i], &err) != NGFF_OK)
            fail_msg("%s: %s", texts[i], err.message);
    }
}

static void test_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", "no JSON object"},
        {"{\"axes\":[]}", "'axes'"},
        {"{\"coordinateSystems\":{}}", "no list"},
        {"{\"coordinateSystems\":[{\"axes\":" AXES2 "}]}", "has no name"},
        {"{\"coordinateSystems\":[{\"name\":\"intrinsic\",\"axes\":" AXES2 "}]}",
         "'intrinsic' is there already"},
        {"{\"coordinateSystems\":[{\"name\":\"a\",\"axes\":" AXES2
         "},{\"name\":\"a\",\"axes\":" AXES2 "}]}",
         "'a' is there already"},
        {"{\"coordinateSystems\":[{\"name\":\"a\",\"axes\":[{\"name\":\"x\"}]}]}",
         "1 axes"},
        {"{\"coordinateSystems\":[{\"name\":\"a\",\"axes\":[{\"name\":\"x\"},{\"name\":"
         "\"x\"}]}]}",
         "a name of its own"},
        {"{\"coordinateTransformations\":[]}", "no list of any"},
        {"{\"coordinateTransformations\":[{\"type\":\"identity\"}]}",
         "input names no coordinate system"},
        {ONE("intrinsic", "nowhere", "\"type\":\"identity\""),
         "output names coordinate system 'nowhere', which is not declared"},
        {"{\"coordinateTransformations\":[{\"type\":\"identity\",\"input\":{\"name\":"
         "\"intrinsic\"},\"output\":{\"name\":\"own\",\"path\":\"../b\"}}]}",
         "stay below"},
        {ONE("intrinsic", "flat", "\"type\":\"warp\""), "no transformation of"},
        {ONE("intrinsic", "flat", "\"scale\":[1,1]"), "no type"},
        {ONE("intrinsic", "deep", "\"type\":\"identity\""), "gives 2 axes, expected 3"},
        {ONE("deep", "flat", "\"type\":\"scale\",\"scale\":[1,1]"),
         "takes 2 axes, there are 3"},
        {ONE("intrinsic", "flat", "\"type\":\"scale\",\"scale\":[1,0]"), "above 0"},
        {ONE("intrinsic", "flat", "\"type\":\"scale\",\"scale\":[1,\"x\"]"), "above 0"},
        {ONE("intrinsic", "flat", "\"type\":\"translation\""), "finite"},
        {ONE("intrinsic", "flat", "\"type\":\"rotation\",\"rotation\":[[1,0,0],[0,1,0]]"),
         "rectangular"},
        {ONE("intrinsic", "flat", "\"type\":\"affine\",\"affine\":[[1,0,0],[0,1]]"),
         "rectangular"},
        {ONE("intrinsic", "flat", "\"type\":\"affine\""), "either"},
        {ONE("intrinsic", "flat",
             "\"type\":\"affine\",\"affine\":[[1,0,0],[0,1,0]],"
             "\"path\":\"a\""),
         "either"},
        {ONE("intrinsic", "flat", "\"type\":\"affine\",\"path\":\"a/../../b\""),
         "stay below"},
        {ONE("intrinsic", "flat", "\"type\":\"affine\",\"path\":\"%2e%2e/b\""),
         "stay below"},
        {ONE("intrinsic", "flat", "\"type\":\"mapAxis\",\"mapAxis\":[0,0]"),
         "permutation"},
        {ONE("intrinsic", "flat", "\"type\":\"mapAxis\",\"mapAxis\":[0,2]"),
         "permutation"},
        {ONE("intrinsic", "deep", "\"type\":\"projectAxis\""), "name no axes"},
        {ONE("intrinsic", "deep", "\"type\":\"projectAxis\",\"droppedInputs\":[2]"),
         "name no axes"},
        {ONE("intrinsic", "deep", "\"type\":\"projectAxis\",\"createdOutputs\":[3]"),
         "name no axes"},
        {ONE("intrinsic", "flat", "\"type\":\"displacements\",\"path\":\"/field\""),
         "no path of a field"},
        {ONE("intrinsic", "deep", "\"type\":\"displacements\",\"path\":\"field\""),
         "gives 2 axes, expected 3"},
        {ONE("intrinsic", "flat", "\"type\":\"sequence\",\"transformations\":[]"),
         "no transformations"},
        {ONE("intrinsic", "flat",
             "\"type\":\"sequence\",\"transformations\":[{\"type\":\"projectAxis\","
             "\"createdOutputs\":[0]},{\"type\":\"scale\",\"scale\":[1,2]}]"),
         "transformations[1] (scale): takes 2 axes, there are 3"},
        {ONE("intrinsic", "flat",
             "\"type\":\"byDimension\",\"transformations\":[{\"inputAxes\":[0],"
             "\"outputAxes\":[0],\"transformation\":{\"type\":\"identity\"}}]"),
         "gives 1 axes, expected 2"},
        {ONE("intrinsic", "flat",
             "\"type\":\"byDimension\",\"transformations\":[{\"inputAxes\":[0],"
             "\"outputAxes\":[1],\"transformation\":{\"type\":\"identity\"}}]"),
         "not every output axis"},
        {ONE("intrinsic", "flat",
             "\"type\":\"byDimension\",\"transformations\":[{\"inputAxes\":[0,1],"
             "\"outputAxes\":[0,1],\"transformation\":{\"type\":\"scale\",\"scale\":[2]}}"
             "]"),
         "takes 1 axes, there are 2"},
        {ONE("intrinsic", "deep",
             "\"type\":\"bijection\",\"forward\":{\"type\":\"identity\"},\"inverse\":{"
             "\"type\":\"identity\"}"),
         "gives 2 axes, expected 3"},
        {ONE("intrinsic", "flat",
             "\"type\":\"bijection\",\"forward\":{\"type\":\"identity\"}"),
         "inverse (no type)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ngff_error err = {0};
        assert_int_equal(check(cases[i].text, &err), NGFF_INVALID);
        if (!strstr(err.message, cases[i].words) || strchr(err.message, '\n'))
            fail_msg("%s: '%s', expected '%s'", cases[i].text, err.message,
                     cases[i].words);
    }
}

static void fill(ngff_ome_multiscales *m, ngff_version version, const char *more) {
    *m = (ngff_ome_multiscales){.version = version,
                                .image = {.desc = NGFF_IMAGE_DESC_INIT}};
    m->image.desc.ndim = 2;
    assert_int_equal(ngff_ome_axes_from_dims("yx", 2, m->image.desc.axes, NULL), NGFF_OK);
    m->level_count = 1;
    m->level[0] = (ngff_ome_dataset){.scale = {1, 1}};
    strcpy(m->level[0].path, "0");
    m->more = parse(more);
}

static void test_emitted_and_found_again(void **state) {
    (void)state;
    static const char text[] = ONE("intrinsic", "flat", "\"type\":\"identity\"");
    ngff_ome_multiscales m;
    ngff_json *doc = NULL, *again = NULL, *want = parse(text);
    ngff_error err = {0};
    fill(&m, NGFF_V06, text);
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, &err), NGFF_OK);
    const ngff_json *entry =
        ngff_json_at(ngff_json_get(ngff_json_get(doc, "ome"), "multiscales"), 0);
    assert_int_equal(ngff_json_len(ngff_json_get(entry, "coordinateSystems")), 3);
    assert_int_equal(ngff_ome_more_of(doc, &again, &err), NGFF_OK);
    assert_true(ngff_json_equal(again, want));
    ngff_json_close(&doc);
    ngff_json_close(&again);
    ngff_json_close(&want);
    m.version = NGFF_V05;
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, &err), NGFF_INVALID);
    assert_non_null(strstr(err.message, "0.5 has no coordinate systems"));
    ngff_ome_multiscales_reset(&m);
    fill(&m, NGFF_V06, ONE("intrinsic", "gone", "\"type\":\"identity\""));
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, &err), NGFF_INVALID);
    assert_null(doc);
    ngff_ome_multiscales_reset(&m);
}

static void test_an_image_without_any(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    ngff_json *doc = NULL, *more = NULL;
    fill(&m, NGFF_V06, "{}");
    assert_int_equal(ngff_ome_emit(&m, NULL, &doc, NULL), NGFF_OK);
    assert_int_equal(ngff_ome_more_of(doc, &more, NULL), NGFF_OK);
    assert_null(more);
    ngff_json_close(&doc);
    ngff_ome_multiscales_reset(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_what_is_wrong),
        cmocka_unit_test(test_emitted_and_found_again),
        cmocka_unit_test(test_an_image_without_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
