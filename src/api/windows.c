/* Display windows measured while level 0 is written: a census beside the engine, its
 * numbers into the channels before the root document is. */
#include "api/handles.h"
#include "sys/sys.h"

/* As many channels as are described at all (ome/channel.c). */
enum { CHANNELS_MAX = 1024 };

static int channel_axis(const ngff_image_desc *desc) {
    for (int i = 0; i < desc->ndim; i++)
        if (strcmp(desc->axes[i].type, "channel") == 0)
            return i;
    return -1;
}

static int64_t channel_count(const ngff_image_desc *desc) {
    int axis = channel_axis(desc);
    return axis < 0 ? 1 : desc->shape[axis];
}

ngff_status ngff_api_windows_open(const ngff_context *context,
                                  const ngff_image_desc *desc,
                                  const ngff_write_opts *opts, ngff_api_windows *out,
                                  ngff_error *err) {
    const int64_t count = channel_count(desc);
    const ngff_dtype dtype = (ngff_dtype)desc->dtype;
    const int threads =
        context->opts.threads > 0 ? context->opts.threads : ngff_cpu_count();
    *out = (ngff_api_windows){.low = opts->omero_low, .high = opts->omero_high};
    if (opts->omero_windows == 0 || opts->no_omero != 0)
        return NGFF_OK;
    if (out->low == 0 && out->high == 0) {
        out->low = 0.02;
        out->high = 0.98;
    }
    if (!(out->low >= 0 && out->low < out->high && out->high <= 1))
        return ngff_fail(err, NGFF_INVALID,
                         "omero_low %g, omero_high %g, expected 0 <= low < high <= 1",
                         out->low, out->high);
    if (count > CHANNELS_MAX)
        return ngff_fail(err, NGFF_INVALID,
                         "%lld channels, display windows are measured of at most %d",
                         (long long)count, CHANNELS_MAX);
    out->size = ngff_census_size(dtype, count, threads);
    if (out->size == 0)
        return ngff_fail(err, NGFF_INVALID, "%s pixels have no display window",
                         ngff_dtype_name(dtype));
    const uint64_t target = context->opts.memory_target;
    if (!context->opts.memory_grows &&
        out->size > (target > 0 ? target : ngff_engine_default_budget()))
        return NGFF_OK; /* the plan will say what would do */
    return ngff_census_create(context->alloc, dtype, channel_axis(desc), count,
                              &out->census, err);
}

/* One entry for each channel, so that each window has its place in the document. */
ngff_status ngff_api_windows_describe(const ngff_api_windows *w,
                                      const ngff_allocator *alloc,
                                      const ngff_image_desc *desc, ngff_ome_image *out,
                                      ngff_error *err) {
    const size_t count = (size_t)channel_count(desc);
    NGFF_TRY(ngff_ome_image_copy(alloc, desc, out, err));
    if (!w->census || desc->channel_count >= count)
        return NGFF_OK;
    ngff_channel *channels = ngff_calloc(alloc, count, sizeof *channels);
    if (!channels) {
        ngff_ome_image_reset(out);
        return ngff_fail_nomem(err, "channels", count * sizeof *channels);
    }
    for (size_t i = 0; i < count; i++) {
        if (i < desc->channel_count)
            channels[i] = desc->channels[i];
        else
            channels[i].active = 1;
    }
    ngff_free(alloc, out->channels);
    out->channels = channels;
    out->desc.channels = channels;
    out->desc.channel_count = count;
    return NGFF_OK;
}

void ngff_api_windows_fill(const ngff_api_windows *w, ngff_ome_image *image) {
    const int64_t count = w->census ? channel_count(&image->desc) : 0;
    for (int64_t i = 0; i < count; i++) {
        ngff_channel *channel = &image->channels[i];
        ngff_census_window window;
        if (channel->has_window) /* what the caller said */
            continue;
        ngff_census_window_of(w->census, i, w->low, w->high, &window);
        channel->min = window.min;
        channel->max = window.max;
        channel->start = window.start;
        channel->end = window.end;
        channel->has_window = 1;
    }
}

void ngff_api_windows_close(ngff_api_windows *w) {
    ngff_census_close(&w->census);
}
