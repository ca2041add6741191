/* Reads or writes one array, for tests/interop/zarr_peers.py.
 *   driver read STORE ARRAY            raw pixels (C order, native) on stdout
 *   driver write STORE ARRAY META RAW  META: a zarr.json or .zarray document; RAW: the
 * pixels STORE is a directory that exists. Chunks are put in reverse order, which is the
 * worst one. */
#include "sys/sys.h"
#include "zarr/zarr.h"

#include <stdio.h>
#include <stdlib.h>

static ngff_error err;

static int fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, err.message);
    return 1;
}

static char *slurp(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*size + 1);
    if (data && fread(data, 1, *size, f) != *size)
        *size = 0;
    fclose(f);
    return data;
}

static int read_array(ngff_store *store, const char *path) {
    ngff_zarr_array *a = NULL;
    ngff_codec_ctx *ctx = NULL;
    size_t bytes;
    ngff_view v;
    if (ngff_zarr_array_open(NULL, store, path, &a, &err) != NGFF_OK ||
        ngff_codec_ctx_create(NULL, &ctx, &err) != NGFF_OK ||
        ngff_nd_bytes(a->meta.ndim, a->meta.shape, a->meta.dtype, &bytes, &err) !=
            NGFF_OK)
        return fail("open");
    void *data = calloc(1, bytes + 1);
    ngff_view_init(&v, data, a->meta.dtype, a->meta.ndim, a->meta.shape);
    ngff_box box = {.ndim = a->meta.ndim};
    memcpy(box.shape, a->meta.shape, sizeof box.shape);
    if (ngff_zarr_read(a, ctx, &box, &v, &err) != NGFF_OK)
        return fail("read");
    fwrite(data, 1, bytes, stdout);
    free(data);
    ngff_codec_ctx_close(&ctx);
    ngff_zarr_array_close(&a);
    return 0;
}

static int put_all(ngff_zarr_array *a, ngff_zarr_writer *w, ngff_codec_ctx *ctx,
                   void *raw) {
    ngff_view all, part;
    ngff_box box;
    int64_t count = 1, idx[NGFF_MAX_NDIM];
    ngff_view_init(&all, raw, a->meta.dtype, a->meta.ndim, a->meta.shape);
    for (int i = 0; i < a->meta.ndim; i++)
        count *= a->grid[i];
    for (int64_t n = count - 1; n >= 0; n--) {
        int64_t rest = n;
        for (int i = a->meta.ndim - 1; i >= 0; i--) {
            idx[i] = rest % a->grid[i];
            rest /= a->grid[i];
        }
        ngff_box_of_cell(a->meta.ndim, idx, a->meta.chunk, a->meta.shape, &box);
        ngff_view_sub(&all, box.start, box.shape, &part);
        if (ngff_zarr_writer_put(w, ctx, idx, &part, &err) != NGFF_OK)
            return fail("put");
    }
    return 0;
}

static int write_array(ngff_store *store, const char *path, const char *meta_path,
                       const char *raw_path) {
    size_t meta_size = 0, raw_size = 0;
    char *meta_text = slurp(meta_path, &meta_size), *raw = slurp(raw_path, &raw_size);
    ngff_json *doc = NULL;
    ngff_zarr_meta meta = {0};
    ngff_zarr_array *a = NULL;
    ngff_codec_ctx *ctx = NULL;
    ngff_spill *spill = NULL;
    ngff_zarr_writer *w = NULL;
    ngff_spill_opts spill_opts = {NULL, 1 << 16, false};
    if (!meta_text || !raw ||
        ngff_json_parse(meta_text, meta_size, NGFF_JSON_STRICT, &doc, &err) != NGFF_OK)
        return fail("parse");
    ngff_status status = ngff_json_get(doc, "node_type")
                             ? ngff_zarr_meta_parse_v3(doc, &meta, &err)
                             : ngff_zarr_meta_parse_v2(doc, &meta, &err);
    if (status != NGFF_OK ||
        ngff_zarr_array_create(NULL, store, path, &meta, &a, &err) != NGFF_OK ||
        ngff_codec_ctx_create(NULL, &ctx, &err) != NGFF_OK ||
        ngff_spill_create(NULL, &spill_opts, &spill, &err) != NGFF_OK)
        return fail("create");
    ngff_zarr_writer_opts opts = {.spill = spill};
    if (ngff_zarr_writer_create(a, &opts, &w, &err) != NGFF_OK)
        return fail("writer");
    if (put_all(a, w, ctx, raw) != 0)
        return 1;
    if (ngff_zarr_writer_finish(w, &err) != NGFF_OK ||
        ngff_zarr_array_put_meta(a, &err) != NGFF_OK)
        return fail("finish");
    ngff_zarr_writer_close(&w);
    ngff_spill_close(&spill);
    ngff_codec_ctx_close(&ctx);
    ngff_zarr_array_close(&a);
    ngff_json_close(&doc);
    free(meta_text);
    free(raw);
    return 0;
}

int main(int argc, char **argv) {
    ngff_store *store = NULL;
    ngff_store_open_opts opts = {0};
    bool writes = argc == 6 && strcmp(argv[1], "write") == 0;
    if (!writes && (argc != 4 || strcmp(argv[1], "read") != 0)) {
        fprintf(stderr, "usage: driver read STORE ARRAY | write STORE ARRAY META RAW\n");
        return 2;
    }
    opts.mode = writes ? NGFF_STORE_UPDATE : NGFF_STORE_READ;
    if (ngff_store_at(NULL, argv[2], &opts, &store, &err) != NGFF_OK)
        return fail("store");
    int rc = writes ? write_array(store, argv[3], argv[4], argv[5])
                    : read_array(store, argv[3]);
    ngff_store_drop(&store);
    return rc;
}
