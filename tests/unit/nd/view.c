#include "support/cmocka.h"

#include "nd/nd.h"

static void packed_views(void **state) {
    (void)state;
    uint16_t data[24];
    ngff_view v, sub, turned;
    ngff_view_init(&v, data, NGFF_UINT16, 3, (int64_t[]){2, 3, 4});
    assert_int_equal(v.strides[0], 24);
    assert_int_equal(v.strides[2], 2);
    assert_true(ngff_view_is_packed(&v));
    ngff_view_sub(&v, (int64_t[]){1, 0, 0}, (int64_t[]){1, 3, 4}, &sub);
    assert_true(ngff_view_is_packed(&sub));
    assert_ptr_equal(sub.data, data + 12);
    ngff_view_sub(&v, (int64_t[]){1, 1, 2}, (int64_t[]){1, 2, 2}, &sub);
    assert_false(ngff_view_is_packed(&sub));
    assert_ptr_equal(sub.data, data + 12 + 4 + 2);
    ngff_view_transpose(&v, (int[]){2, 0, 1}, &turned);
    assert_int_equal(turned.shape[0], 4);
    assert_int_equal(turned.strides[0], 2);
    assert_int_equal(turned.strides[1], 24);
    assert_false(ngff_view_is_packed(&turned));
    ngff_view_sub(&v, (int64_t[]){2, 3, 4}, (int64_t[]){0, 0, 0}, &sub);
    assert_ptr_equal(sub.data, data);
    assert_true(ngff_view_is_packed(&sub));
}

static void strides_of_single_planes_do_not_matter(void **state) {
    (void)state;
    uint8_t data[6];
    ngff_view v;
    ngff_view_init(&v, data, NGFF_UINT8, 3, (int64_t[]){2, 1, 3});
    v.strides[1] = -77;
    assert_true(ngff_view_is_packed(&v));
    ngff_view_init(&v, data, NGFF_UINT8, 0, NULL);
    assert_true(ngff_view_is_packed(&v));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packed_views),
        cmocka_unit_test(strides_of_single_planes_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
