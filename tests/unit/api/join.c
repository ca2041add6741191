/* Several writers at one existing image: claims, what is stored, who died; and the whole
 * of it, 4 processes of 8 threads at one sharded array, again and again. */
#include "regions.h"

#include "support/random.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void expect(ngff_status got, ngff_status want, const char *words, int line) {
    if (got != want || strstr(region_error.message, words) == NULL)
        fail_msg("line %d: %s: %s", line, ngff_status_text(got), region_error.message);
}
#define EXPECT(call, status, words) expect(call, status, words, __LINE__)

/* An image without pixels. */
static void create(region_case *c, const char *path, const char *version) {
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    opts.version = version;
    ngff_store *store = region_store(c, path, NGFF_ACCESS_WRITE);
    OK(ngff_write_metadata(c->context, store, c->levels, &opts, &region_error));
    ngff_store_close(&store);
}

typedef struct joined {
    ngff_store *store;
    ngff_writer *w;
} joined;

static joined join(region_case *c, const char *path) {
    joined j = {region_store(c, path, NGFF_ACCESS_UPDATE), NULL};
    OK(ngff_writer_join(c->context, j.store, NULL, &j.w, &region_error));
    return j;
}

static void leave(joined *j) {
    ngff_writer_close(&j->w);
    ngff_store_close(&j->store);
}

static void an_image_without_pixels_is_zero(void **state) {
    static const char *const versions[] = {"0.4", "0.5"};
    region_case c = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        region_case_init(&c, i == 0 ? &region_plain : &region_sharded, 0);
        create(&c, tempdir_at(versions[i]), versions[i]);
        memset(c.pixels, 0, sizeof *c.pixels * DEPTH * HEIGHT * WIDTH);
        ngff_store *store = region_store(&c, tempdir_at(versions[i]), NGFF_ACCESS_READ);
        region_expect_pixels(&c, store, c.pixels);
        ngff_store_close(&store);
        region_case_reset(&c);
    }
    region_case_init(&c, &region_sharded, 0);
    ngff_store *archive = region_store(&c, tempdir_at("a.ozx"), NGFF_ACCESS_WRITE);
    EXPECT(ngff_write_metadata(c.context, archive, c.levels, NULL, &region_error),
           NGFF_UNSUPPORTED, "in one pass");
    ngff_store_close(&archive);
    region_case_reset(&c);
}

/* Documents, regions, levels: what is there in the end is what ngff_write makes. */
static void check_steps(const region_layout *layout, const char *version) {
    region_case c = {0};
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    const ngff_box left = region_box(0, 0, 0, DEPTH, HEIGHT, 33),
                   right = region_box(0, 0, 33, DEPTH, HEIGHT, WIDTH - 33);
    opts.version = version;
    region_case_init(&c, layout, 0);
    ngff_store *a = region_store(&c, tempdir_at("a"), NGFF_ACCESS_WRITE);
    region_write_all(&c, a, &opts);
    create(&c, tempdir_at("b"), version);
    joined j = join(&c, tempdir_at("b"));
    OK(region_put(&c, j.w, &right));
    OK(region_put(&c, j.w, &left));
    OK(ngff_writer_finish(j.w, NULL, &region_error));
    ngff_writer_close(&j.w);
    OK(ngff_write_levels(c.context, j.store, c.levels, 1, NULL, NULL, &region_error));
    leave(&j);
    ngff_store *b = region_store(&c, tempdir_at("b"), NGFF_ACCESS_READ);
    region_expect_same(a, b);
    assert_int_equal(access(tempdir_at("b/.ngff-claims"), F_OK), -1);
    ngff_store_close(&a);
    ngff_store_close(&b);
    region_case_reset(&c);
}

static void documents_regions_levels_make_the_same_store(void **state) {
    (void)state;
    check_steps(&region_sharded, "0.5");
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_steps(&region_plain, "0.5");
    tempdir_teardown(NULL), tempdir_setup(NULL);
    check_steps(&region_plain, "0.4");
}

/* ---- claims ---- */

static void a_shard_has_one_owner(void **state) {
    region_case c = {0};
    const ngff_box mine = region_box(0, 0, 0, 8, 24, 10),
                   same = region_box(7, 23, 31, 1, 1, 1),
                   both = region_box(0, 0, 20, 8, 24, 30),
                   next = region_box(0, 0, 32, 8, 24, 32);
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    create(&c, tempdir_at("out"), "0.5");
    joined a = join(&c, tempdir_at("out")), b = join(&c, tempdir_at("out"));
    OK(region_put(&c, a.w, &mine));
    EXPECT(region_put(&c, b.w, &same), NGFF_EXISTS, "scale0/image/c/0/0/0: ");
    EXPECT(region_put(&c, b.w, &both), NGFF_EXISTS, "another writer");
    OK(region_put(&c, b.w, &next)); /* nothing of `both` was taken */
    EXPECT(region_put(&c, a.w, &next), NGFF_EXISTS, "scale0/image/c/0/0/1: ");
    OK(ngff_writer_finish(a.w, NULL, &region_error));
    EXPECT(region_put(&c, b.w, &same), NGFF_EXISTS, "is stored already");
    OK(ngff_writer_finish(b.w, NULL, &region_error));
    leave(&a);
    leave(&b);
    for (int64_t z = 0; z < DEPTH; z++)
        for (int64_t y = 0; y < HEIGHT; y++)
            for (int64_t x = 0; x < WIDTH; x++) {
                const ngff_box here = region_box(z, y, x, 1, 1, 1);
                if (!ngff_box_contains(&mine, &here) && !ngff_box_contains(&next, &here))
                    c.pixels[(z * HEIGHT + y) * WIDTH + x] = 0;
            }
    ngff_store *store = region_store(&c, tempdir_at("out"), NGFF_ACCESS_READ);
    region_expect_pixels(&c, store, c.pixels);
    ngff_store_close(&store);
    region_case_reset(&c);
}

static ngff_status overwrite(region_case *c, const char *path) {
    ngff_store *store = NULL;
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    opts.access = NGFF_ACCESS_WRITE;
    opts.overwrite = 2;
    ngff_status status = ngff_store_open(c->context, path, &opts, &store, &region_error);
    ngff_store_close(&store);
    return status;
}

/* Otherwise the regions to come would land in the new image, or be left out of levels. */
static void an_image_with_writers_is_not_replaced(void **state) {
    region_case c = {0};
    const ngff_box box = region_box(0, 0, 0, 8, 24, 10);
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    create(&c, tempdir_at("out"), "0.5");
    OK(overwrite(&c, tempdir_at("out")));
    joined a = join(&c, tempdir_at("out"));
    EXPECT(overwrite(&c, tempdir_at("out")), NGFF_EXISTS, "another writer");
    OK(region_put(&c, a.w, &box));
    EXPECT(overwrite(&c, tempdir_at("out")), NGFF_EXISTS, "another writer");
    EXPECT(ngff_write_levels(c.context, a.store, c.levels, 1, NULL, NULL, &region_error),
           NGFF_EXISTS, "another writer");
    leave(&a);
    OK(overwrite(&c, tempdir_at("out")));
    region_case_reset(&c);
}

static void a_chunk_that_is_gathered_has_one_owner(void **state) {
    region_case c = {0};
    const ngff_box part = region_box(0, 0, 0, 8, 16, 10),
                   whole = region_box(0, 0, 0, 8, 16, 16),
                   next = region_box(0, 0, 16, 8, 16, 16);
    (void)state;
    region_case_init(&c, &region_plain, 0);
    create(&c, tempdir_at("out"), "0.4");
    joined a = join(&c, tempdir_at("out")), b = join(&c, tempdir_at("out"));
    OK(region_put(&c, a.w, &part));
    EXPECT(region_put(&c, b.w, &whole), NGFF_EXISTS, "scale0/image/0/0/0: ");
    OK(region_put(&c, b.w, &next));
    EXPECT(region_put(&c, a.w, &next), NGFF_EXISTS, "is stored already");
    leave(&a); /* not finished: what it gathered is gone, and its claim */
    OK(region_put(&c, b.w, &whole));
    OK(ngff_writer_finish(b.w, NULL, &region_error));
    leave(&b);
    region_case_reset(&c);
}

/* A child takes the first shard and dies. */
static void die_with_a_claim(region_case *c) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const ngff_box box = region_box(0, 0, 0, 8, 24, 10);
        joined j = join(c, tempdir_at("out"));
        if (region_put(c, j.w, &box) == NGFF_OK)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void claims_of_the_dead_are_taken_over(void **state) {
    region_case c = {0};
    const ngff_box all = region_box(0, 0, 0, DEPTH, HEIGHT, WIDTH);
    (void)state;
    region_case_init(&c, &region_sharded, 0);
    create(&c, tempdir_at("out"), "0.5");
    die_with_a_claim(&c);
    assert_int_equal(access(tempdir_at("out/.ngff-claims/.ngff-0.0.0.0"), F_OK), 0);
    joined tidy = join(&c, tempdir_at("out"));
    leave(&tidy); /* nobody alive has anything: all of it goes */
    assert_int_equal(access(tempdir_at("out/.ngff-claims"), F_OK), -1);
    die_with_a_claim(&c);
    joined a = join(&c, tempdir_at("out"));
    OK(region_put(&c, a.w, &all));
    joined b = join(&c, tempdir_at("out"));
    EXPECT(region_put(&c, b.w, &all), NGFF_EXISTS, "another writer");
    leave(&b);
    OK(ngff_writer_finish(a.w, NULL, &region_error));
    leave(&a);
    assert_int_equal(access(tempdir_at("out/.ngff-claims"), F_OK), -1);
    ngff_store *store = region_store(&c, tempdir_at("out"), NGFF_ACCESS_READ);
    region_expect_pixels(&c, store, c.pixels);
    ngff_store_close(&store);
    region_case_reset(&c);
}

/* ---- many ---- */

enum { PROCESSES = 4, THREADS = 8, RUNS = 100, ITEMS = 3 * 3 * 3 * 4 };

/* What the threads of one process share. */
typedef struct crew {
    region_case *c;
    ngff_writer *w;
    int order[ITEMS];
    int process;
    atomic_int next, failed;
} crew;

/* Seen by all processes. */
static struct {
    pthread_barrier_t everybody;
    atomic_int refused;   /* boxes */
    atomic_int owner[27]; /* of each shard: its process, from 1 on */
} * table;

/* An item is a quarter of a shard, in boxes that no chunk likes. Somebody else's shard is
 * left to them; of a shard of this process all four quarters are met by its threads. */
static void fill_item(crew *all, int item) {
    const int64_t shard[3] = {8, 24, 32};
    const int s = item / 4, quarter = item % 4;
    ngff_error err = {0};
    ngff_box box = region_box(s / 9 * shard[0] + quarter * 2, s / 3 % 3 * shard[1],
                              s % 3 * shard[2], 2, 24, 32);
    for (int64_t x = box.start[2], end = ngff_min_i64(x + 32, WIDTH); x < end; x += 13) {
        const ngff_box image = region_box(0, 0, 0, DEPTH, HEIGHT, WIDTH);
        ngff_box wanted = box, part;
        ngff_view pixels;
        wanted.start[2] = x;
        wanted.shape[2] = ngff_min_i64(13, end - x);
        if (!ngff_box_intersect(&image, &wanted, &part))
            return;
        ngff_view_sub(&all->c->view, part.start, part.shape, &pixels);
        ngff_status status = ngff_writer_write_region(all->w, 0, &part, &pixels, &err);
        if (status == NGFF_EXISTS) { /* theirs, or ours from the beginning */
            atomic_fetch_add(&table->refused, 1);
            return;
        }
        int owner = 0;
        bool only =
            atomic_compare_exchange_strong(&table->owner[s], &owner, all->process + 1) ||
            owner == all->process + 1;
        if (status != NGFF_OK || !only) {
            fprintf(stderr, "%s: %s; shard %d was taken by process %d\n",
                    ngff_status_text(status), err.message, s, owner);
            atomic_store(&all->failed, 1);
        }
    }
}

static void crew_member(void *arg) {
    crew *all = arg;
    for (int i = atomic_fetch_add(&all->next, 1); i < ITEMS;
         i = atomic_fetch_add(&all->next, 1))
        fill_item(all, all->order[i]);
}

/* Process p begins with the shards p, p + 4, p + 8; then everybody tries everything. */
static int fill(region_case *c, int p, uint64_t seed) {
    static crew all;
    ngff_thread *thread[THREADS];
    joined j = join(c, tempdir_at("out"));
    all = (crew){.c = c, .w = j.w, .process = p};
    for (int i = 0; i < ITEMS; i++)
        all.order[i] = i;
    for (int i = ITEMS - 1; i > 0; i--) {
        int k = (int)random_range(&seed, 0, i), keep = all.order[i];
        all.order[i] = all.order[k];
        all.order[k] = keep;
    }
    for (int s = p; s < 3 * PROCESSES; s += PROCESSES)
        fill_item(&all, 4 * s);
    pthread_barrier_wait(&table->everybody); /* each has shards before any takes more */
    for (int i = 0; i < THREADS; i++)
        OK(ngff_thread_start(NULL, crew_member, &all, &thread[i], &region_error));
    for (int i = 0; i < THREADS; i++)
        ngff_thread_join(&thread[i]);
    if (ngff_writer_finish(j.w, NULL, &region_error) != NGFF_OK) {
        fprintf(stderr, "finish: %s\n", region_error.message);
        atomic_store(&all.failed, 1);
    }
    leave(&j);
    return atomic_load(&all.failed);
}

/* What process p does; the first also makes the image and looks at what came of it. */
static int run_all(region_case *c, int p) {
    int failed = 0;
    for (int run = 0; run < RUNS; run++) {
        if (p == 0) {
            memset(table->owner, 0, sizeof table->owner);
            atomic_store(&table->refused, 0);
            create(c, tempdir_at("out"), "0.5");
        }
        pthread_barrier_wait(&table->everybody);
        failed |= fill(c, p, (uint64_t)(run * PROCESSES + p));
        pthread_barrier_wait(&table->everybody);
        if (p != 0)
            continue;
        ngff_store *store = region_store(c, tempdir_at("out"), NGFF_ACCESS_READ);
        region_expect_pixels(c, store, c->pixels);
        ngff_store_close(&store);
        /* Each of the 12 shards that were taken first is refused to three processes. */
        failed |= atomic_load(&table->refused) < 12 * 3;
        failed |= access(tempdir_at("out/.ngff-claims"), F_OK) == 0;
        OK(ngff_dir_remove_all(tempdir_at("out"), &region_error));
    }
    return failed;
}

static void many_fill_one_sharded_array(void **state) {
    region_case c = {0};
    pid_t child[PROCESSES];
    pthread_barrierattr_t shared;
    int bad = 0;
    (void)state;
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    assert_ptr_not_equal(table, MAP_FAILED);
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&table->everybody, &shared, PROCESSES);
    region_case_init(&c, &region_sharded, 0);
    for (int p = 0; p < PROCESSES; p++) {
        child[p] = fork();
        assert_true(child[p] >= 0);
        if (child[p] == 0)
            _exit(run_all(&c, p));
    }
    for (int left = PROCESSES; left > 0; left--) {
        int status;
        pid_t ended = waitpid(-1, &status, 0);
        bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        for (int p = 0; p < PROCESSES; p++) {
            child[p] = child[p] == ended ? -1 : child[p];
            if (!well && child[p] > 0) /* it would wait for ever */
                kill(child[p], SIGKILL);
        }
        bad += !well;
    }
    assert_int_equal(bad, 0);
    region_case_reset(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEMPDIR_TEST(an_image_without_pixels_is_zero),
        TEMPDIR_TEST(documents_regions_levels_make_the_same_store),
        TEMPDIR_TEST(a_shard_has_one_owner),
        TEMPDIR_TEST(an_image_with_writers_is_not_replaced),
        TEMPDIR_TEST(a_chunk_that_is_gathered_has_one_owner),
        TEMPDIR_TEST(claims_of_the_dead_are_taken_over),
        TEMPDIR_TEST(many_fill_one_sharded_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
