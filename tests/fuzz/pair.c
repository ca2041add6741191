/* What the metadata half of a pair says of the chunk half (.ngff-chunks), with documents
 * that were on their way. */
#include "fuzz.h"
#include "store/inside.h"

static ngff_status count_document(void *user, const char *key) {
    FUZZ_CHECK(ngff_store_key_check(key, NULL) == NGFF_OK);
    ++*(int *)user;
    return NGFF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ngff_error err = {0};
    ngff_store *metadata = NULL, *documents = NULL;
    ngff_store_generation generation;
    bool unfinished = false;
    int count = 0;
    FUZZ_CHECK(ngff_store_open_memory(NULL, &metadata, &err) == NGFF_OK);
    FUZZ_CHECK(ngff_store_open_memory(NULL, &documents, &err) == NGFF_OK);
    FUZZ_CHECK(ngff_store_own_put(metadata, NGFF_STORE_PAIR_KEY, data, size, &err) ==
               NGFF_OK);
    ngff_status status =
        ngff_store_pair_read(metadata, &generation, documents, &unfinished, &err);
    if (status != NGFF_OK) {
        fuzz_check_error(status, &err);
        FUZZ_CHECK(generation.name[0] == '\0');
    } else {
        FUZZ_CHECK(ngff_store_is_generation(generation.name));
    }
    FUZZ_CHECK(ngff_store_documents_each(documents, count_document, &count, &err) ==
               NGFF_OK);
    FUZZ_CHECK(unfinished || count == 0);
    ngff_store_drop(&documents);
    ngff_store_drop(&metadata);
    return 0;
}
