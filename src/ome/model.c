/* ome: owned copies of image descriptions and multiscales. */
#include "ome/ome.h"

ngff_status ngff_ome_image_copy(const ngff_allocator *a, const ngff_image_desc *from,
                                ngff_ome_image *out, ngff_error *err) {
    *out = (ngff_ome_image){.alloc = a, .desc = NGFF_IMAGE_DESC_INIT};
    assert(from->channel_count == 0 || from->channels != NULL);
    size_t count = from->channel_count;
    ngff_channel *channels = NULL;
    if (count > 0) {
        channels = ngff_calloc(a, count, sizeof *channels);
        if (!channels)
            return ngff_fail_nomem(err, "channels", count * sizeof *channels);
        memcpy(channels, from->channels, count * sizeof *channels);
    }
    out->desc = *from;
    out->desc.struct_size = sizeof out->desc;
    out->desc.channels = channels;
    out->channels = channels;
    return NGFF_OK;
}

void ngff_ome_image_reset(ngff_ome_image *image) {
    ngff_free(image->alloc, image->channels);
    image->channels = NULL;
    image->desc.channels = NULL;
    image->desc.channel_count = 0;
}

void ngff_ome_multiscales_reset(ngff_ome_multiscales *m) {
    ngff_ome_image_reset(&m->image);
    ngff_json_close(&m->metadata);
    ngff_json_close(&m->more);
    ngff_json_close(&m->extra);
    m->level_count = 0;
}
