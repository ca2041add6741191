/* An archive as a store: opened, judged by RFC-9, every value of it read, its image too.
 */
#define _GNU_SOURCE
#include "store.h"
#include "store/inside.h"
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static ngff_status read_value(void *user, const char *name, bool is_prefix) {
    ngff_store *store = user;
    ngff_error err = {0};
    ngff_buf value;
    if (is_prefix)
        return NGFF_OK;
    ngff_buf_init(&value, NULL, 1 << 20);
    ngff_status status = ngff_store_get(store, name, &value, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    ngff_buf_reset(&value);
    return NGFF_OK;
}

static void count_finding(void *user, const ngff_finding *finding) {
    FUZZ_CHECK(finding->rule != NULL);
    ++*(int *)user;
}

static void use(ngff_store *store) {
    ngff_error err = {0};
    int findings = 0;
    ngff_status status = ngff_store_list(store, "", read_value, store, &err);
    if (status == NGFF_OK)
        status = ngff_image_judge_ozx(store, count_finding, &findings, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    else
        FUZZ_CHECK(findings > 0);
    fuzz_use_store(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const ngff_store_open_opts opts = {.mode = NGFF_STORE_READ};
    char path[64];
    ngff_error err = {0};
    ngff_store *store = NULL;
    int fd = memfd_create("fuzz", 0);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ngff_status status = ngff_store_open_zip(NULL, path, &opts, &store, &err);
    if (status != NGFF_OK)
        fuzz_check_error(status, &err);
    else
        use(store);
    ngff_store_drop(&store);
    close(fd);
    return 0;
}
