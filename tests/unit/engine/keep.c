/* Levels the source brings: copied where the shapes agree, and what is computed from them
 * is computed from the copied values. */
#include "case.h"

/* Level 1 of the source: the complement of what would be computed. */
static ngff_view own_level;

static ngff_status read_level(ngff_source *base, int level, const ngff_box *box,
                              const ngff_view *out, ngff_error *err) {
    ngff_view part;
    (void)base;
    if (level != 1)
        return ngff_fail(err, NGFF_INTERNAL, "level %d was asked for", level);
    ngff_view_sub(&own_level, box->start, box->shape, &part);
    ngff_nd_copy(out, &part);
    return NGFF_OK;
}

static void make_case(test_case *c, ngff_method method) {
    uint64_t r = 3;
    memset(c, 0, sizeof *c);
    c->request = (ngff_levels_request){.ndim = 3,
                                       .shape = {21, 50, 64},
                                       .dtype = NGFF_UINT16,
                                       .scale = {1, 1, 1},
                                       .axis = {'z', 'y', 'x'},
                                       .method = method,
                                       .factor_count = 3,
                                       .factors = {{2, 2, 2}, {4, 4, 4}, {8, 8, 8}},
                                       .chunk = {8, 8, 8}};
    test_case_from_request(c, &r);
}

static void complement(const ngff_view *v) {
    uint16_t *at = v->data;
    for (int64_t i = 0; i < v->shape[0] * v->shape[1] * v->shape[2]; i++)
        at[i] = (uint16_t)~at[i];
}

static void check_kept(ngff_method method) {
    static const ngff_source_vtable ops = {
        .kind = "test", .read = test_read, .read_level = read_level};
    test_case c;
    test_source s;
    uint32_t sum;
    ngff_error err = {0};
    ngff_engine_opts opts = {.threads = 2, .memory = 64 << 20, .keep_levels = true};
    make_case(&c, method);
    complement(&c.level[1]);
    for (int n = 2; n < c.levels.count; n++)
        naive_level(&c, n);
    own_level = c.level[1];
    test_source_init(&s, &c.level[0]);
    s.base.ops = &ops;
    s.base.level_count = 2;
    memcpy(s.base.level_shape[1], c.levels.level[1].shape, sizeof s.base.level_shape[1]);
    if (convert(&c, &s, &opts, &sum, &err) != NGFF_OK)
        fail_msg("keep: %s", err.message);
    test_case_reset(&c);
}

static void test_kept(void **state) {
    (void)state;
    check_kept(NGFF_METHOD_BIN_SHRINK);
    check_kept(NGFF_METHOD_GAUSSIAN);
    check_kept(NGFF_METHOD_NEAREST);
}

/* Without the option, and with other shapes, the levels are computed. */
static void test_not_kept(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        test_case c;
        test_source s;
        uint32_t sum;
        ngff_error err = {0};
        ngff_engine_opts opts = {.threads = 1, .memory = 64 << 20, .keep_levels = i == 1};
        make_case(&c, NGFF_METHOD_BIN_SHRINK);
        test_source_init(&s, &c.level[0]);
        s.base.level_count = 2;
        memcpy(s.base.level_shape[1], c.levels.level[1].shape,
               sizeof s.base.level_shape[1]);
        s.base.level_shape[1][2] += i;
        if (convert(&c, &s, &opts, &sum, &err) != NGFF_OK)
            fail_msg("keep: %s", err.message);
        test_case_reset(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kept),
                                       cmocka_unit_test(test_not_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
