/* A whole hierarchy: values one after the other, each a line "@" with its key and the
 * bytes up to the next such line. Groups of both formats, their attributes, containers of
 * series, arrays and chunks. */
#define _GNU_SOURCE
#include "store.h"

#define MARK "\n@"

static void put(ngff_store *store, const char *key, size_t key_size, const char *value,
                size_t size) {
    char text[256];
    if (key_size >= sizeof text)
        return;
    memcpy(text, key, key_size);
    text[key_size] = '\0';
    ngff_status status = ngff_store_put(store, text, value, size, NULL);
    (void)status; /* not every text is a key */
}

static void fill(ngff_store *store, const char *at, const char *end) {
    while (at != NULL && at < end && *at == '@') {
        const char *key = at + 1;
        const char *value = memchr(key, '\n', (size_t)(end - key));
        if (value == NULL)
            return;
        const char *next = memmem(value, (size_t)(end - value), MARK, strlen(MARK));
        const char *stop = next != NULL ? next : end;
        const char *first = value + 1 < stop ? value + 1 : stop;
        put(store, key, (size_t)(value - key), first, (size_t)(stop - first));
        at = next != NULL ? next + 1 : NULL;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ngff_error err = {0};
    ngff_store *store = NULL;
    FUZZ_CHECK(ngff_store_open_memory(NULL, &store, &err) == NGFF_OK);
    fill(store, (const char *)data, (const char *)data + size);
    fuzz_use_store(store);
    ngff_store_drop(&store);
    return 0;
}
