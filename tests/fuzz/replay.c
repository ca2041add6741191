/* Runs a fuzz target without libFuzzer: every file of a corpus as it is, cut at many
 * places, and with fixed pseudo-random changes. The same inputs on every machine. */
#include "fuzz.h"
#include <dirent.h>
#include <stdio.h>

enum { FILES_MAX = 512, SIZE_MAX_INPUT = 1 << 20 };

static uint64_t state;

static uint32_t next_random(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* The target gets an allocation of exactly the size, so that a sanitizer sees any byte
 * beyond it. */
static void run(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size > 0 ? size : 1);
    FUZZ_CHECK(exact != NULL);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static void change(uint8_t *data, size_t *size) {
    static const uint8_t interesting[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '9', '-'};
    size_t at = next_random() % *size;
    switch (next_random() % 5) {
    case 0:
        data[at] ^= (uint8_t)(1u << (next_random() % 8));
        break;
    case 1:
        data[at] = interesting[next_random() % sizeof interesting];
        break;
    case 2: /* a run of one value */
        memset(data + at, (int)(next_random() & 0xff),
               ngff_min_i64(4, (int64_t)(*size - at)));
        break;
    case 3: /* cut */
        *size = at > 0 ? at : 1;
        break;
    default: { /* copy a piece over another place */
        size_t from = next_random() % *size;
        size_t n = next_random() % 16;
        if (from + n <= *size && at + n <= *size)
            memmove(data + at, data + from, n);
    }
    }
}

static void mutate(const uint8_t *data, size_t size, int count) {
    uint8_t *copy = malloc(size);
    FUZZ_CHECK(copy != NULL);
    for (int i = 0; i < count; i++) {
        size_t n = size;
        memcpy(copy, data, size);
        for (uint32_t k = next_random() % 4 + 1; k > 0; k--)
            change(copy, &n);
        run(copy, n);
    }
    free(copy);
}

static void replay_file(const char *path, int mutations) {
    static uint8_t data[SIZE_MAX_INPUT];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return;
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    run(data, size);
    for (size_t cut = 0; cut < size; cut += size / 64 + 1)
        run(data, cut);
    if (size > 0)
        mutate(data, size, mutations);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const char *dir, char **names) {
    DIR *d = opendir(dir);
    int count = 0;
    if (d == NULL)
        return 0;
    for (struct dirent *e; (e = readdir(d)) != NULL && count < FILES_MAX;) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            names[count++] = ngff_strdup(NULL, path);
    }
    closedir(d);
    qsort(names, (size_t)count, sizeof *names, by_name);
    return count;
}

/* replay CORPUS_DIRECTORY MUTATIONS_PER_FILE */
int main(int argc, char **argv) {
    static char *names[FILES_MAX];
    int mutations = argc > 2 ? atoi(argv[2]) : 0;
    int count = argc > 1 ? list(argv[1], names) : 0;

    if (count == 0) {
        fprintf(stderr, "no corpus\n");
        return 1;
    }
    for (int i = 0; i < count; i++) {
        state = 0x9e3779b97f4a7c15u + (uint64_t)i;
        replay_file(names[i], mutations);
        ngff_free(NULL, names[i]);
    }
    printf("%d files, %d mutations each\n", count, mutations);
    return 0;
}
