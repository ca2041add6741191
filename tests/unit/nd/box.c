#include "support/cmocka.h"

#include "nd/nd.h"
#include "support/random.h"

static void volumes(void **state) {
    (void)state;
    ngff_error err = {0};
    int64_t v;
    size_t bytes;
    assert_int_equal(ngff_nd_volume(3, (int64_t[]){2, 3, 4}, &v, &err), NGFF_OK);
    assert_int_equal(v, 24);
    assert_int_equal(ngff_nd_volume(0, NULL, &v, &err), NGFF_OK);
    assert_int_equal(v, 1);
    assert_int_equal(ngff_nd_volume(3, (int64_t[]){INT64_MAX, INT64_MAX, 0}, &v, &err),
                     NGFF_OK);
    assert_int_equal(v, 0);
    assert_int_equal(ngff_nd_volume(2, (int64_t[]){INT64_MAX, 2}, &v, &err), NGFF_LIMIT);
    ngff_error_clear(&err);
    assert_int_equal(ngff_nd_volume(3, (int64_t[]){0, INT64_MAX, -1}, &v, &err),
                     NGFF_INVALID);
    assert_non_null(strstr(err.message, "axis 2"));
    ngff_error_clear(&err);
    assert_int_equal(ngff_nd_bytes(1, (int64_t[]){INT64_MAX}, NGFF_FLOAT64, &bytes, &err),
                     NGFF_LIMIT);
    assert_int_equal(bytes, 0);
    assert_int_equal(ngff_nd_bytes(2, (int64_t[]){3, 5}, NGFF_UINT16, &bytes, NULL),
                     NGFF_OK);
    assert_int_equal(bytes, 30);
}

static ngff_box random_box(uint64_t *seed, int ndim) {
    ngff_box b = {.ndim = ndim};
    for (int i = 0; i < ndim; i++) {
        b.start[i] = random_range(seed, 0, 6);
        b.shape[i] = random_range(seed, 0, 5);
    }
    return b;
}

static bool holds(const ngff_box *b, const int64_t *p) {
    for (int i = 0; i < b->ndim; i++) {
        if (p[i] < b->start[i] || p[i] >= b->start[i] + b->shape[i])
            return false;
    }
    return true;
}

static void sets_of_points(void **state) {
    (void)state;
    uint64_t seed = 11;
    const ngff_box all = {2, {0}, {12, 12}};
    for (int round = 0; round < 500; round++) {
        ngff_box a = random_box(&seed, 2), b = random_box(&seed, 2), both, hull;
        bool some = ngff_box_intersect(&a, &b, &both);
        ngff_box_hull(&a, &b, &hull);
        bool seen = false, inside = true;
        int64_t p[2] = {0};
        do {
            assert_int_equal(holds(&both, p), holds(&a, p) && holds(&b, p));
            assert_true(holds(&hull, p) || (!holds(&a, p) && !holds(&b, p)));
            seen = seen || holds(&both, p);
            inside = inside && (holds(&a, p) || !holds(&b, p));
        } while (ngff_box_next(&all, p));
        assert_int_equal(some, seen);
        assert_int_equal(ngff_box_is_empty(&both), !some);
        assert_int_equal(ngff_box_contains(&a, &b), inside);
        assert_true(ngff_box_contains(&hull, &a) && ngff_box_contains(&hull, &b));
        assert_true(ngff_box_equal(&a, &a));
    }
}

static void odometer_visits_in_order(void **state) {
    (void)state;
    const ngff_box b = {3, {1, 2, 3}, {2, 3, 4}};
    int64_t idx[3] = {1, 2, 3};
    int count = 0;
    do {
        assert_int_equal(((idx[0] - 1) * 3 + idx[1] - 2) * 4 + idx[2] - 3, count);
        count++;
    } while (ngff_box_next(&b, idx));
    assert_int_equal(count, 24);
    assert_int_equal(idx[0], 1);
    const ngff_box point = {.ndim = 0};
    assert_false(ngff_box_next(&point, idx));
}

static void cells_tile_the_box(void **state) {
    (void)state;
    uint64_t seed = 5;
    const int64_t shape[2] = {12, 12};
    for (int round = 0; round < 300; round++) {
        ngff_box b = random_box(&seed, 2), cells;
        int64_t cell[2] = {random_range(&seed, 1, 5), random_range(&seed, 1, 5)};
        ngff_box_cells(&b, cell, &cells);
        assert_int_equal(ngff_box_is_empty(&cells), ngff_box_is_empty(&b));
        if (ngff_box_is_empty(&b))
            continue;
        int64_t idx[2] = {cells.start[0], cells.start[1]}, covered = 0;
        do {
            ngff_box one, part;
            ngff_box_of_cell(2, idx, cell, shape, &one);
            assert_true(ngff_box_intersect(&one, &b, &part));
            covered += part.shape[0] * part.shape[1];
        } while (ngff_box_next(&cells, idx));
        assert_int_equal(covered, b.shape[0] * b.shape[1]);
    }
    ngff_box edge;
    ngff_box_of_cell(2, (int64_t[]){2, 9}, (int64_t[]){5, 5}, shape, &edge);
    assert_int_equal(edge.shape[0], 2);
    assert_int_equal(edge.shape[1], 0);
    ngff_box negative = {1, {-3}, {4}}, cells;
    ngff_box_cells(&negative, (int64_t[]){2}, &cells);
    assert_int_equal(cells.start[0], -2);
    assert_int_equal(cells.shape[0], 3);
}

static void morton_order(void **state) {
    (void)state;
    const int64_t want[8][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1},
                                {0, 2}, {0, 3}, {1, 2}, {1, 3}};
    for (int i = 0; i < 8; i++)
        assert_true(ngff_nd_morton(2, want[i]) == (uint64_t)i);
    assert_true(ngff_nd_morton(0, NULL) == 0);
    assert_true(ngff_nd_morton(1, (int64_t[]){INT64_MAX}) == INT64_MAX);
    uint64_t seed = 3;
    for (int round = 0; round < 3000; round++) {
        int64_t a[3], b[3];
        int64_t high = (int64_t)1 << random_range(&seed, 1, 20);
        for (int i = 0; i < 3; i++) {
            a[i] = random_range(&seed, 0, high);
            b[i] = round % 3 ? random_range(&seed, 0, high) : a[i];
        }
        uint64_t ka = ngff_nd_morton(3, a), kb = ngff_nd_morton(3, b);
        int c = ngff_nd_morton_compare(3, a, b);
        assert_int_equal((c > 0) - (c < 0), (ka > kb) - (ka < kb));
    }
}

static void texts(void **state) {
    (void)state;
    const ngff_box b = {2, {0, 10}, {64, 5}};
    char text[64], small[6];
    ngff_nd_box_text(&b, text, sizeof text);
    assert_string_equal(text, "[0:64, 10:15]");
    ngff_nd_box_text(&b, small, sizeof small);
    assert_string_equal(small, "[0:64");
    ngff_nd_shape_text(3, (int64_t[]){1, 20, 300}, text, sizeof text);
    assert_string_equal(text, "1x20x300");
    ngff_nd_shape_text(0, NULL, text, sizeof text);
    assert_string_equal(text, "()");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes),
        cmocka_unit_test(sets_of_points),
        cmocka_unit_test(odometer_visits_in_order),
        cmocka_unit_test(cells_tile_the_box),
        cmocka_unit_test(morton_order),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
