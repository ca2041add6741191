/* Sources asked directly: what they are, their levels, their regions, the images of a
 * file; a source that knows one reader at a time, read by several. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1
#endif
#include "support/cmocka.h"
#include "support/tempdir.h"

#include <ngff/ngff.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static ngff_error error;
#define OK(call)                                                                         \
    do {                                                                                 \
        if ((call) != NGFF_OK)                                                           \
            fail_msg("%s", error.message);                                               \
    } while (0)

enum { ROWS = 6, COLUMNS = 8, READERS = 4, READS = 30 };

typedef struct counter {
    atomic_int inside, most;
    int end; /* answered by the list */
    int count;
    char text[64];
} counter;

/* Values are y * COLUMNS + x; notes how many calls run at once. */
static ngff_status values(void *cookie, const ngff_box *box, const ngff_view *out,
                          ngff_error *err) {
    counter *c = cookie;
    (void)err;
    int now = atomic_fetch_add(&c->inside, 1) + 1;
    if (now > atomic_load(&c->most))
        atomic_store(&c->most, now);
    for (int64_t y = 0; y < box->shape[0]; y++)
        for (int64_t x = 0; x < box->shape[1]; x++)
            ((uint8_t *)out->data)[y * out->strides[0] + x * out->strides[1]] =
                (uint8_t)((box->start[0] + y) * COLUMNS + box->start[1] + x);
    usleep(200); /* long enough for another call to come in, if it may */
    atomic_fetch_sub(&c->inside, 1);
    return NGFF_OK;
}

static ngff_source *callback(ngff_context *context, counter *c) {
    ngff_source_ops ops = {.struct_size = sizeof ops, .read_region = values};
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_source *source = NULL;
    desc.dtype = NGFF_UINT8;
    desc.ndim = 2;
    desc.shape[0] = ROWS;
    desc.shape[1] = COLUMNS;
    desc.axes[0].scale = 0.5;
    desc.axes[0].translation = 3.0;
    OK(ngff_source_from_callback(context, &ops, c, &desc, &source, &error));
    return source;
}

static void *reader(void *user) {
    ngff_source *source = user;
    uint8_t row[COLUMNS];
    ngff_view out = {.data = row, .dtype = NGFF_UINT8, .ndim = 2, .shape = {1, COLUMNS}};
    out.strides[0] = COLUMNS;
    out.strides[1] = 1;
    for (int i = 0; i < READS; i++) {
        ngff_box box = {.ndim = 2, .start = {i % ROWS, 0}, .shape = {1, COLUMNS}};
        if (ngff_source_read_region(source, 0, &box, &out, NULL) != NGFF_OK ||
            row[3] != (i % ROWS) * COLUMNS + 3)
            return source;
    }
    return NULL;
}

static void one_read_at_a_time(void **state) {
    (void)state;
    counter c = {0};
    pthread_t thread[READERS];
    ngff_context *context = NULL;
    OK(ngff_context_create(NULL, &context, &error));
    ngff_source *source = callback(context, &c);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, reader, source), 0);
    for (int i = 0; i < READERS; i++) {
        void *wrong = NULL;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    assert_int_equal(atomic_load(&c.most), 1);
    ngff_source_close(&source);
    ngff_context_close(&context);
}

static void what_it_is(void **state) {
    (void)state;
    counter c = {0};
    ngff_source_info info = NGFF_SOURCE_INFO_INIT;
    ngff_level_info level = NGFF_LEVEL_INFO_INIT;
    ngff_context *context = NULL;
    OK(ngff_context_create(NULL, &context, &error));
    ngff_source *source = callback(context, &c);
    OK(ngff_source_about(source, &info, &error));
    assert_string_equal(info.kind, "callback");
    assert_int_equal(info.level_count, 1);
    OK(ngff_source_level(source, 0, &level, &error));
    assert_int_equal(level.shape[1], COLUMNS);
    assert_true(level.scale[0] == 0.5 && level.translation[0] == 3.0);
    assert_int_equal(ngff_source_level(source, 1, &level, &error), NGFF_NOT_FOUND);
    assert_int_equal(level.shape[0], 0);
    assert_int_equal(ngff_source_about(NULL, &info, &error), NGFF_INVALID);
    ngff_source_close(&source);
    ngff_context_close(&context);
}

static void boxes_that_do_not_fit(void **state) {
    (void)state;
    counter c = {0};
    uint8_t pixel = 0;
    ngff_box box = {.ndim = 2, .start = {ROWS - 1, COLUMNS - 1}, .shape = {1, 1}};
    ngff_view out = {.data = &pixel, .dtype = NGFF_UINT8, .ndim = 2, .shape = {1, 1}};
    ngff_context *context = NULL;
    OK(ngff_context_create(NULL, &context, &error));
    ngff_source *s = callback(context, &c);
    out.strides[0] = out.strides[1] = 1;
    OK(ngff_source_read_region(s, 0, &box, &out, &error));
    assert_int_equal(pixel, ROWS * COLUMNS - 1);
    box.start[0]++;
    assert_int_equal(ngff_source_read_region(s, 0, &box, &out, &error), NGFF_INVALID);
    box.start[0]--;
    assert_int_equal(ngff_source_read_region(s, 1, &box, &out, &error), NGFF_INVALID);
    box.ndim = 1;
    assert_int_equal(ngff_source_read_region(s, 0, &box, &out, &error), NGFF_INVALID);
    box.ndim = 2;
    out.data = NULL;
    assert_int_equal(ngff_source_read_region(s, 0, &box, &out, &error), NGFF_INVALID);
    out.data = &pixel;
    out.dtype = NGFF_INT8;
    assert_int_equal(ngff_source_read_region(s, 0, &box, &out, &error), NGFF_INVALID);
    ngff_source_close(&s);
    ngff_context_close(&context);
}

static ngff_status note(void *user, const ngff_series *series) {
    counter *c = user;
    c->count++;
    snprintf(c->text, sizeof c->text, "%d %s %s %lldx%lld", (int)series->series,
             series->name, series->axes, (long long)series->shape[0],
             (long long)series->shape[1]);
    return c->end ? NGFF_CANCELLED : NGFF_OK;
}

static void images_of_a_file(void **state) {
    (void)state;
    counter c = {0};
    char path[512];
    ngff_source_opts opts = NGFF_SOURCE_OPTS_INIT;
    ngff_context *context = NULL;
    snprintf(path, sizeof path, "%s", tempdir_at("cells.raw"));
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite("123456789012", 1, 12, f), 12);
    fclose(f);
    OK(ngff_context_create(NULL, &context, &error));
    opts.raw_ndim = 2;
    opts.raw_shape[0] = 3;
    opts.raw_shape[1] = 4;
    opts.raw_dtype = NGFF_UINT8;
    OK(ngff_source_series(context, path, &opts, note, &c, &error));
    assert_string_equal(c.text, "1 cells yx 3x4");
    assert_int_equal(c.count, 1);
    c.end = 1;
    assert_int_equal(ngff_source_series(context, path, &opts, note, &c, &error),
                     NGFF_CANCELLED);
    assert_int_equal(ngff_source_series(context, path, NULL, note, &c, &error),
                     NGFF_UNSUPPORTED);
    assert_int_equal(
        ngff_source_series(context, tempdir_at("none"), &opts, note, &c, &error),
        NGFF_NOT_FOUND);
    ngff_context_close(&context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_read_at_a_time),
        cmocka_unit_test(what_it_is),
        cmocka_unit_test(boxes_that_do_not_fit),
        cmocka_unit_test(images_of_a_file),
    };
    return cmocka_run_group_tests(tests, tempdir_setup, tempdir_teardown);
}
