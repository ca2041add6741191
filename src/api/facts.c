/* The facts of an opened image that `ngff info` shows, as one JSON object. */
#include "api/handles.h"

static ngff_json *level_facts(const ngff_zarr_meta *m) {
    ngff_json *o = ngff_json_new_object();
    ngff_json *codecs = NULL;
    ngff_status bad =
        ngff_json_set(o, "dtype", ngff_json_new_str(ngff_dtype_name(m->dtype)));
    bad |= ngff_json_set(o, "zarr_format", ngff_json_new_i64(m->zarr_format));
    bad |= ngff_json_set(o, "sharded", ngff_json_new_bool(m->sharded));
    const ngff_json *from = m->zarr_format == 3 ? m->codecs : m->compressor;
    if (from != NULL && ngff_json_dup(from, &codecs, NULL) == NGFF_OK)
        bad |= ngff_json_set(o, m->zarr_format == 3 ? "codecs" : "compressor", codecs);
    if (bad != NGFF_OK)
        ngff_json_close(&o);
    return o;
}

ngff_status ngff_api_facts(const ngff_image *image, char **out, ngff_error *err) {
    const ngff_ome_multiscales *m = &image->ms;
    ngff_json *o = ngff_json_new_object();
    ngff_json *levels = ngff_json_new_array();
    ngff_json *metadata = NULL;
    ngff_buf text;

    ngff_buf_init(&text, image->alloc, NGFF_JSON_MAX_SIZE);
    ngff_status bad =
        ngff_json_set(o, "version", ngff_json_new_str(ngff_version_text(m->version)));
    if (m->type[0] != '\0')
        bad |= ngff_json_set(o, "type", ngff_json_new_str(m->type));
    if (m->metadata != NULL && ngff_json_dup(m->metadata, &metadata, NULL) == NGFF_OK)
        bad |= ngff_json_set(o, "metadata", metadata);
    for (int i = 0; i < image->level_count; i++)
        bad |= ngff_json_push(levels, level_facts(&image->level[i]->meta));
    bad |= ngff_json_set(o, "levels", levels);
    ngff_status status = bad != NGFF_OK ? ngff_fail_nomem(err, "image facts", 0)
                                        : ngff_json_print(o, 0, &text, err);
    ngff_json_close(&o);
    if (status == NGFF_OK) {
        *out = ngff_strdup(image->alloc, text.data);
        if (*out == NULL)
            status = ngff_fail_nomem(err, "image facts", text.size);
    }
    ngff_buf_reset(&text);
    return status;
}
