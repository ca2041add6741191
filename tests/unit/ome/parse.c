/* ome: documents of every version, as they are found in the field; and the official
 * suites. */
#include "ome/ome.h"
#include "support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

static ngff_status parse(const char *text, ngff_ome_multiscales *m, ngff_error *err) {
    ngff_json *doc = NULL;
    memset(err, 0, sizeof *err);
    assert_int_equal(ngff_json_parse(text, strlen(text), NGFF_JSON_LENIENT, &doc, err),
                     NGFF_OK);
    ngff_status s = ngff_ome_parse(NULL, doc, 0, m, err);
    ngff_json_close(&doc);
    return s;
}

#define YX "\"axes\":[{\"name\":\"y\",\"type\":\"space\"},{\"name\":\"x\"}]"
#define SCALE(v) "{\"type\":\"scale\",\"scale\":" v "}"
#define SHIFT(v) "{\"type\":\"translation\",\"translation\":" v "}"
#define SETS(path, t)                                                                    \
    "\"datasets\":[{\"path\":\"" path "\",\"coordinateTransformations\":[" t "]}]"
#define V04(body) "{\"multiscales\":[{\"version\":\"0.4\"," body "}]}"

static void test_v04(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    ngff_error err;
    const char *text =
        "{\"multiscales\":[{\"version\":\"0.4\",\"name\":\"n\",\"type\":\"mean\","
        "\"metadata\":{\"a\":1}," YX
        "," SETS("./0/",
                 SCALE("[2,3]") "," SHIFT("[1,0.5]")) ",\"coordinateTransformatio"
                                                      "ns\":[" SCALE("[10,10]") "," SHIFT(
                                                          "[1,1]") "]}],"
                                                                   "\"omero\":{"
                                                                   "\"channels\":"
                                                                   "[{\"label\":"
                                                                   "\"a\","
                                                                   "\"color\":\"#"
                                                                   "ff0000\","
                                                                   "\"window\":{"
                                                                   "\"start\":1,"
                                                                   "\"end\":2}},{"
                                                                   "\"color\":7}]"
                                                                   "},\"mine\":"
                                                                   "1}";
    assert_int_equal(parse(text, &m, &err), NGFF_OK);
    assert_int_equal(m.version, NGFF_V04);
    assert_int_equal(m.image.desc.ndim, 2);
    assert_string_equal(m.image.desc.axes[1].type, "space");
    assert_int_equal(m.level_count, 1);
    assert_string_equal(m.level[0].path, "0");
    assert_true(m.level[0].scale[0] == 20 && m.level[0].scale[1] == 30);
    assert_true(m.level[0].translation[0] == 11 && m.level[0].translation[1] == 6);
    assert_true(m.level[0].has_translation && m.level[0].has_scale);
    assert_true(m.image.desc.axes[1].scale == 30);
    assert_string_equal(m.image.desc.name, "n");
    assert_string_equal(m.type, "mean");
    assert_non_null(m.metadata);
    assert_non_null(ngff_json_get(m.extra, "mine"));
    assert_int_equal(m.image.desc.channel_count, 2);
    const ngff_channel *channel = m.image.desc.channels;
    assert_string_equal(channel[0].color, "ff0000");
    assert_true(channel[0].has_window && channel[0].max == 2 && channel[0].start == 1);
    assert_true(channel[1].color[0] == '\0' && !channel[1].has_window);
    ngff_ome_multiscales_reset(&m);
}

static void test_older(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    ngff_error err;
    assert_int_equal(parse("{\"multiscales\":[{\"version\":\"0.1\",\"datasets\":[{"
                           "\"path\":\"0\"},{\"path\":\"1\"}]}]}",
                           &m, &err),
                     NGFF_OK);
    assert_int_equal(m.version, NGFF_V01);
    assert_int_equal(m.image.desc.ndim, 5);
    assert_string_equal(m.image.desc.axes[0].name, "t");
    assert_false(m.level[1].has_scale);
    assert_true(m.level[1].scale[4] == 1.0);
    ngff_ome_multiscales_reset(&m);
    assert_int_equal(parse("{\"multiscales\":[{\"axes\":[\"t\",\"y\",\"x\"],"
                           "\"datasets\":[{\"path\":\"0\"}]}]}",
                           &m, &err),
                     NGFF_OK);
    assert_int_equal(m.version, NGFF_V03);
    assert_string_equal(m.image.desc.axes[0].type, "time");
    ngff_ome_multiscales_reset(&m);
    /* A version that is a number (B45), and 0.4 content in v3 attributes (T23). */
    assert_int_equal(parse("{\"multiscales\":[{\"version\":0.4," YX
                           "," SETS("0", SCALE("[1,1]")) "}]}",
                           &m, &err),
                     NGFF_OK);
    assert_int_equal(m.version, NGFF_V04);
    ngff_ome_multiscales_reset(&m);
}

static void test_v05_and_v06(void **state) {
    (void)state;
    ngff_ome_multiscales m;
    ngff_error err;
    assert_int_equal(parse("{\"ome\":{\"version\":\"0.5\",\"multiscales\":[{" YX
                           "," SETS("s0", SCALE("[1,1]")) "}]},\"multiscales\":[]}",
                           &m, &err),
                     NGFF_OK);
    assert_int_equal(m.version, NGFF_V05);
    ngff_ome_multiscales_reset(&m);
    const char *v06 =
        "{\"ome\":{\"version\":\"0.6\",\"multiscales\":[{\"coordinateSystems\":[{"
        "\"name\":\"physical\",\"axes\":[{\"name\":\"y\",\"type\":\"space\",\"unit\":"
        "\"um\",\"orientation\":{\"type\":\"anatomical\",\"value\":\"left-to-right\"}},{"
        "\"name\":\"x\",\"type\":\"space\"}]},{\"name\":\"other\",\"axes\":[{\"name\":"
        "\"z\"}]}],\"datasets\":[{\"path\":\"0\",\"coordinateTransformations\":[{"
        "\"type\":\"sequence\",\"input\":{\"path\":\"0\"},\"output\":{\"name\":"
        "\"physical\"},\"transformations\":[" SCALE("[4,5]") "," SHIFT(
            "[1,2]") "]}]}],\"coordinateTransformations\":[{\"type\":\"rotation\"}]}]}}";
    assert_int_equal(parse(v06, &m, &err), NGFF_OK);
    assert_int_equal(m.version, NGFF_V06);
    assert_int_equal(m.image.desc.ndim, 2);
    assert_string_equal(m.image.desc.axes[0].unit, "micrometer");
    assert_string_equal(m.image.desc.axes[0].orientation, "left-to-right");
    assert_true(m.level[0].scale[1] == 5 && m.level[0].translation[1] == 2);
    ngff_ome_multiscales_reset(&m);
}

typedef struct bad_case {
    const char *text;
    ngff_status status;
} bad_case;

static void test_refused(void **state) {
    (void)state;
    static const bad_case cases[] = {
        {"{}", NGFF_NOT_FOUND},
        {"[]", NGFF_NOT_FOUND},
        {"{\"ome\":1}", NGFF_NOT_FOUND},
        {"{\"multiscales\":[]}", NGFF_FORMAT},
        {"{\"multiscales\":{}}", NGFF_FORMAT},
        {"{\"multiscales\":[1]}", NGFF_FORMAT},
        {V04(YX), NGFF_FORMAT},
        {V04("\"axes\":[]," SETS("0", "")), NGFF_FORMAT},
        {V04("\"axes\":[{\"type\":\"space\"}]," SETS("0", "")), NGFF_FORMAT},
        {V04("\"axes\":[{\"name\":\"x\"},{\"name\":\"x\"}]," SETS("0", "")), NGFF_FORMAT},
        {V04(YX "," SETS("0", SCALE("[1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", SCALE("[1,0]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", SCALE("[1,NaN]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", SCALE("[1,\"1\"]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", SCALE("[1,1e308]") "," SCALE("[1,1e308]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", SHIFT("[1,1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("0", "{\"type\":\"affine\"}")), NGFF_UNSUPPORTED},
        {V04(YX "," SETS("0", "{\"type\":\"scale\",\"path\":\"s\"}")), NGFF_UNSUPPORTED},
        {V04(YX "," SETS("0", "{\"type\":\"sequence\",\"transformations\":[{\"type\":"
                              "\"sequence\"}]}")),
         NGFF_UNSUPPORTED},
        {V04(YX "," SETS("../0", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("/0", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("a/%2E./0", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("a//b", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("C:/x", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("a\\\\b", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX "," SETS("", SCALE("[1,1]"))), NGFF_FORMAT},
        {V04(YX ",\"datasets\":[{\"path\":0}]"), NGFF_FORMAT},
        {V04(YX ",\"datasets\":[{\"path\":\"0\",\"coordinateTransformations\":7}]"),
         NGFF_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ngff_ome_multiscales m;
        ngff_error err;
        assert_int_equal(parse(cases[i].text, &m, &err), cases[i].status);
        assert_true(err.message[0] != '\0');
    }
}

static void test_index(void **state) {
    (void)state;
    const char *text = "{\"multiscales\":[{\"datasets\":[{\"path\":\"a\"}]},{\"datasets\""
                       ":[{\"path\":\"b\"}]}]}";
    ngff_json *doc = NULL;
    ngff_ome_multiscales m;
    assert_int_equal(ngff_json_parse(text, strlen(text), 0, &doc, NULL), NGFF_OK);
    assert_int_equal(ngff_ome_parse(NULL, doc, 1, &m, NULL), NGFF_OK);
    assert_string_equal(m.level[0].path, "b");
    ngff_ome_multiscales_reset(&m);
    assert_int_equal(ngff_ome_parse(NULL, doc, 2, &m, NULL), NGFF_NOT_FOUND);
    ngff_json_close(&doc);
}

/* ---- the official suites ------------------------------------------------------------
 */

static bool shared_path(char *out, size_t size, const char *rest) {
    const char *root = getenv("NGFF_SHARED");
    if (root)
        snprintf(out, size, "%s/%s", root, rest);
    else
        snprintf(out, size, "%.*s/../../../../shared/%s",
                 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, rest);
    FILE *f = fopen(out, "rb");
    if (f)
        fclose(f);
    return f != NULL;
}

static ngff_json *load(const char *path) {
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(n < sizeof text);
    ngff_json *doc = NULL;
    assert_int_equal(ngff_json_parse(text, n, NGFF_JSON_STRICT, &doc, NULL), NGFF_OK);
    return doc;
}

/* Valid for the schema, but the text wants one number per axis (MS-17). */
static bool is_exception(const char *name) {
    return name && strstr(name, "mismatch_axes_units");
}

static int run_suite(const ngff_json *suite) {
    const ngff_json *tests = ngff_json_get(suite, "tests");
    int valid_count = 0;
    for (size_t i = 0; i < ngff_json_len(tests); i++) {
        const ngff_json *test = ngff_json_at(tests, i);
        bool valid = false;
        assert_true(ngff_json_bool(ngff_json_get(test, "valid"), &valid));
        ngff_ome_multiscales m;
        ngff_error err = {0};
        ngff_status s = ngff_ome_parse(NULL, ngff_json_get(test, "data"), 0, &m, &err);
        bool exception = is_exception(ngff_json_str(ngff_json_get(test, "formerly")));
        if (valid && s != NGFF_OK && !exception)
            fail_msg("%s", err.message);
        assert_int_equal(s == NGFF_OK, err.message[0] == '\0');
        valid_count += valid;
        if (s == NGFF_OK)
            ngff_ome_multiscales_reset(&m);
    }
    return valid_count;
}

static void test_suites(void **state) {
    (void)state;
    static const char *const suites[] = {
        "suites/0.4/image_suite.json", "suites/0.4/strict_image_suite.json",
        "suites/0.5/image_suite.json", "suites/0.5/strict_image_suite.json"};
    for (size_t i = 0; i < 4; i++) {
        char path[4096];
        if (!shared_path(path, sizeof path, suites[i])) {
            fprintf(stderr, "SKIPPED: the official suites are not at %s\n", path);
            if (getenv("CI"))
                fail_msg("the official suites are needed in CI");
            skip();
        }
        ngff_json *suite = load(path);
        assert_true(run_suite(suite) > 0);
        ngff_json_close(&suite);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v04),         cmocka_unit_test(test_older),
        cmocka_unit_test(test_v05_and_v06), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_index),       cmocka_unit_test(test_suites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
