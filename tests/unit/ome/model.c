/* ome: axes, units, names, versions, and the rules of a writable image. */
#include "ome/ome.h"
#include "support/alloc.h"
#include "support/cmocka.h"

#include <math.h>

static void assert_names(const ngff_axis *axes, const char *want) {
    for (size_t i = 0; i < strlen(want); i++) {
        assert_int_equal(axes[i].name[0], want[i]);
        assert_int_equal(axes[i].name[1], '\0');
        assert_true(axes[i].scale == 1.0 && axes[i].translation == 0.0);
    }
}

static void test_dims(void **state) {
    (void)state;
    ngff_axis axes[NGFF_MAX_NDIM];
    ngff_error err = {0};
    assert_int_equal(ngff_ome_axes_from_dims("tczyx", 5, axes, &err), NGFF_OK);
    assert_names(axes, "tczyx");
    assert_string_equal(axes[0].type, "time");
    assert_string_equal(axes[1].type, "channel");
    assert_string_equal(axes[2].type, "space");
    assert_int_equal(ngff_ome_axes_from_dims("Y, X ,C", 3, axes, &err), NGFF_OK);
    assert_names(axes, "yxc");
    assert_string_equal(err.message, "");
}

static void test_bad_dims(void **state) {
    (void)state;
    static const char *const bad[] = {"zyq", "zyy", "zy", "zyxc", "", "z,y,µ"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ngff_axis axes[NGFF_MAX_NDIM];
        ngff_error err = {0};
        assert_int_equal(ngff_ome_axes_from_dims(bad[i], 3, axes, &err), NGFF_INVALID);
        assert_non_null(strstr(err.message, "dims '"));
    }
}

static void test_default_axes(void **state) {
    (void)state;
    static const char *const want[] = {"", "x", "yx", "zyx", "czyx", "tczyx"};
    for (int n = 1; n <= 5; n++) {
        ngff_axis axes[NGFF_MAX_NDIM];
        ngff_ome_axes_default(n, axes);
        assert_names(axes, want[n]);
    }
}

typedef struct unit_case {
    const char *text, *type, *want;
    bool known;
} unit_case;

static void test_units(void **state) {
    (void)state;
    static const unit_case cases[] = {
        {"µm", "space", "micrometer", true},
        {"\u03bcm", "space", "micrometer", true},
        {"um", "space", "micrometer", true},
        {"micron", "space", "micrometer", true},
        {"Microns", "space", "micrometer", true},
        {"micrometre", "space", "micrometer", true},
        {"micrometer", "space", "micrometer", true},
        {"mm", "space", "millimeter", true},
        {"Mm", "space", "megameter", true},
        {"m", "space", "meter", true},
        {"nm", "", "nanometer", true},
        {"Å", "space", "angstrom", true},
        {"inch", "space", "inch", true},
        {"ms", "time", "millisecond", true},
        {"s", "time", "second", true},
        {"sec", "time", "second", true},
        {"min", "time", "minute", true},
        {"Seconds", "time", "second", true},
        {"s", "space", "s", false},
        {"m", "time", "m", false},
        {"pixel", "space", "pixel", false},
        {"decameter", "space", "decameter", false},
        {"", "space", "", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32];
        assert_int_equal(ngff_ome_unit(cases[i].text, cases[i].type, out),
                         cases[i].known);
        assert_string_equal(out, cases[i].want);
    }
}

static void test_listed_units_are_known(void **state) {
    (void)state;
    static const char *const lists[2][32] = {
        {"angstrom",   "attometer", "centimeter", "decimeter",  "exameter",
         "femtometer", "foot",      "gigameter",  "hectometer", "inch",
         "kilometer",  "megameter", "meter",      "micrometer", "mile",
         "millimeter", "nanometer", "parsec",     "petameter",  "picometer",
         "terameter",  "yard",      "yoctometer", "yottameter", "zeptometer",
         "zettameter", NULL},
        {"attosecond",  "centisecond", "day",         "decisecond", "exasecond",
         "femtosecond", "gigasecond",  "hectosecond", "hour",       "kilosecond",
         "megasecond",  "microsecond", "millisecond", "minute",     "nanosecond",
         "petasecond",  "picosecond",  "second",      "terasecond", "yoctosecond",
         "yottasecond", "zeptosecond", "zettasecond", NULL}};
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; lists[k][i]; i++) {
            char out[32];
            assert_true(ngff_ome_unit(lists[k][i], k ? "time" : "space", out));
            assert_string_equal(out, lists[k][i]);
        }
    }
}

static void test_path_names(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"image", "image"},
        {"my image", "my_image"},
        {"../../escaped", ".._.._escaped"},
        {"..", "image"},
        {"", "image"},
        {"µm-ß.1", "_m-_.1"},
        {"a/b\\c", "a_b_c"},
        {"zarr.json", "image_zarr.json"},
        {".zgroup", "image_zgroup"},
        {"__x", "image___x"},
        {"a\xff\xfe", "a__"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[256];
        ngff_ome_path_name(cases[i][0], out, sizeof out);
        assert_string_equal(out, cases[i][1]);
    }
    char small[16];
    ngff_ome_path_name("a name that is too long for it", small, sizeof small);
    assert_string_equal(small, "a_name_that_is_");
}

static void test_versions(void **state) {
    (void)state;
    assert_int_equal(ngff_version_from_text("0.1"), NGFF_V01);
    assert_int_equal(ngff_version_from_text("0.4"), NGFF_V04);
    assert_int_equal(ngff_version_from_text("0.5-dev"), NGFF_V05);
    assert_int_equal(ngff_version_from_text("0.5.2"), NGFF_V05);
    assert_int_equal(ngff_version_from_text("0.6rc0"), NGFF_V06);
    assert_int_equal(ngff_version_from_text("0.6.dev1"), NGFF_VERSION_UNKNOWN);
    assert_int_equal(ngff_version_from_text("0.41"), NGFF_VERSION_UNKNOWN);
    assert_int_equal(ngff_version_from_text(""), NGFF_VERSION_UNKNOWN);
    for (ngff_version v = NGFF_V01; v <= NGFF_V06; v++) {
        assert_int_equal(ngff_version_from_text(ngff_version_text(v)), v);
        assert_int_equal(ngff_version_zarr_format(v), v >= NGFF_V05 ? 3 : 2);
    }
}

static void test_orientations(void **state) {
    (void)state;
    assert_true(ngff_ome_orientation_valid("left-to-right"));
    assert_true(ngff_ome_orientation_valid("posterior-to-anterior"));
    assert_true(ngff_ome_orientation_valid("caudal-to-cranial"));
    assert_true(ngff_ome_orientation_valid("apex-to-base"));
    assert_false(ngff_ome_orientation_valid("left-to-left"));
    assert_false(ngff_ome_orientation_valid("left-to-anterior"));
    assert_false(ngff_ome_orientation_valid("left"));
    assert_false(ngff_ome_orientation_valid(""));
    assert_false(ngff_ome_orientation_valid("left-to-right "));
}

static ngff_image_desc image_of(const char *dims) {
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    desc.ndim = (int32_t)strlen(dims);
    desc.dtype = NGFF_UINT16;
    assert_int_equal(ngff_ome_axes_from_dims(dims, desc.ndim, desc.axes, NULL), NGFF_OK);
    for (int i = 0; i < desc.ndim; i++)
        desc.shape[i] = 2;
    return desc;
}

static void test_check_accepts(void **state) {
    (void)state;
    static const char *const good[] = {"yx", "zyx", "tyx", "cyx", "tcyx", "tczyx"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ngff_image_desc desc = image_of(good[i]);
        ngff_error err = {0};
        assert_int_equal(ngff_ome_check(&desc, &err), NGFF_OK);
        assert_string_equal(err.message, "");
    }
}

static void test_check_refuses(void **state) {
    (void)state;
    static const char *const bad[] = {"x", "tc", "tx", "xy", "yxc", "ctyx", "zx", "zyxt"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ngff_image_desc desc = image_of(bad[i]);
        ngff_error err = {0};
        assert_int_equal(ngff_ome_check(&desc, &err), NGFF_INVALID);
        assert_true(err.message[0] != '\0');
    }
    static const double scales[] = {0.0, -1.0, NAN, INFINITY};
    for (size_t i = 0; i < 4; i++) {
        ngff_image_desc desc = image_of("zyx");
        desc.axes[1].scale = scales[i];
        assert_int_equal(ngff_ome_check(&desc, NULL), NGFF_INVALID);
    }
    ngff_image_desc desc = image_of("cyx");
    desc.axes[2].translation = NAN;
    assert_int_equal(ngff_ome_check(&desc, NULL), NGFF_INVALID);
    desc = image_of("cyx");
    strcpy(desc.axes[0].orientation, "left-to-right");
    assert_int_equal(ngff_ome_check(&desc, NULL), NGFF_INVALID);
    desc = image_of("cyx");
    strcpy(desc.axes[1].orientation, "up");
    assert_int_equal(ngff_ome_check(&desc, NULL), NGFF_INVALID);
}

static void test_copy(void **state) {
    (void)state;
    failing_alloc f;
    failing_init(&f);
    ngff_channel channels[2] = {{.label = "a"}, {.label = "b"}};
    ngff_image_desc desc = image_of("cyx");
    desc.channels = channels;
    desc.channel_count = 2;
    ngff_ome_image copy;
    failing_arm(&f, 0);
    assert_int_equal(ngff_ome_image_copy(&f.ops, &desc, &copy, NULL), NGFF_NOMEM);
    failing_arm(&f, -1);
    assert_int_equal(ngff_ome_image_copy(&f.ops, &desc, &copy, NULL), NGFF_OK);
    channels[1].label[0] = 'X';
    assert_string_equal(copy.desc.channels[1].label, "b");
    ngff_ome_image_reset(&copy);
    ngff_ome_image_reset(&copy);
    assert_int_equal(f.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dims),
        cmocka_unit_test(test_bad_dims),
        cmocka_unit_test(test_default_axes),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_listed_units_are_known),
        cmocka_unit_test(test_path_names),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_orientations),
        cmocka_unit_test(test_check_accepts),
        cmocka_unit_test(test_check_refuses),
        cmocka_unit_test(test_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
