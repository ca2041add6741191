/* source: filling in what an image is, from what a file says or a caller gives. */
#include "source/kinds.h"

static const char *last_part(const char *path, size_t *len) {
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    *len = end - begin;
    return path + begin;
}

/* Cuts `.ext` off, ignoring case. */
static bool cut_extension(char *name, const char *ext) {
    size_t len = strlen(name), tail = strlen(ext);
    if (len <= tail)
        return false;
    for (size_t i = 0; i < tail; i++) {
        char c = name[len - tail + i];
        c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (c != ext[i])
            return false;
    }
    name[len - tail] = '\0';
    return true;
}

void ngff_source_name_of(const char *path, char *out, size_t out_size) {
    static const char *const known[] = {
        ".ome.tiff", ".ome.tif", ".ome.btf", ".nii.gz", ".tiff", ".tif", ".btf",
        ".tf8",      ".nii",     ".npy",     ".raw",    ".bin",  ".dat", ".png",
        ".jpeg",     ".jpg",     ".nrrd",    ".nhdr",   ".mha",  ".mhd", NULL};
    assert(out_size > 8);
    size_t len;
    const char *part = last_part(path, &len);
    size_t used = 0;
    while (len > 0 && used + 4 < out_size) {
        size_t step = ngff_utf8_step(part, len);
        if (step == 0 || (unsigned char)*part < 0x20)
            out[used++] = '_'; /* a file name may hold any bytes, a document may not */
        else
            memcpy(out + used, part, step);
        used += step == 0 || (unsigned char)*part < 0x20 ? 0 : step;
        part += step ? step : 1;
        len -= step ? step : 1;
    }
    out[used] = '\0';
    for (size_t i = 0; known[i]; i++) {
        if (cut_extension(out, known[i]))
            break;
    }
    if (out[0] == '\0' || strspn(out, "./") == strlen(out))
        ngff_copy_text(out, out_size, "image");
}

ngff_status ngff_source_take_image(ngff_source *s, ngff_dtype dtype, int ndim,
                                   const int64_t *shape, const char *dims,
                                   ngff_error *err) {
    ngff_image_desc *desc = &s->image.desc;
    int64_t volume;
    size_t bytes;
    if (ndim < 1 || ndim > NGFF_MAX_NDIM)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: %d axes, expected 1 to %d",
                         s->location, ndim, NGFF_MAX_NDIM);
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 1)
            return ngff_fail(err, NGFF_FORMAT,
                             "%s: axis %d has extent %lld, expected at least 1",
                             s->location, i, (long long)shape[i]);
        desc->shape[i] = shape[i];
        s->level_shape[0][i] = shape[i];
    }
    if (ngff_nd_volume(ndim, shape, &volume, NULL) != NGFF_OK ||
        ngff_nd_bytes(ndim, shape, dtype, &bytes, NULL) != NGFF_OK)
        return ngff_fail(err, NGFF_FORMAT, "%s: its extents multiply beyond 64 bits",
                         s->location);
    desc->dtype = (int32_t)dtype;
    desc->ndim = ndim;
    ngff_source_name_of(s->location, desc->name, sizeof desc->name);
    if (!dims) {
        ngff_ome_axes_default(ndim, desc->axes);
        return NGFF_OK;
    }
    ngff_status status = ngff_ome_axes_from_dims(dims, ndim, desc->axes, err);
    return status == NGFF_OK ? status : ngff_fail_at(err, status, "%s", s->location);
}

ngff_status ngff_source_set_channels(ngff_source *s, const ngff_channel *channels,
                                     size_t count, ngff_error *err) {
    ngff_image_desc desc = s->image.desc;
    ngff_ome_image copy;
    desc.channels = channels;
    desc.channel_count = count;
    NGFF_TRY(ngff_ome_image_copy(s->alloc, &desc, &copy, err));
    ngff_ome_image_reset(&s->image);
    s->image = copy;
    return NGFF_OK;
}

ngff_status ngff_source_set_rgb(ngff_source *s, int count, ngff_error *err) {
    static const char *const labels[4] = {"Red", "Green", "Blue", "Alpha"};
    static const char *const colors[4] = {"FF0000", "00FF00", "0000FF", "FFFFFF"};
    ngff_channel rgb[4];
    assert(count == 3 || count == 4);
    memset(rgb, 0, sizeof rgb);
    for (int i = 0; i < count; i++) {
        ngff_copy_text(rgb[i].label, sizeof rgb[i].label, labels[i]);
        ngff_copy_text(rgb[i].color, sizeof rgb[i].color, colors[i]);
        rgb[i].active = i < 3;
        if (s->image.desc.dtype == NGFF_UINT8) {
            rgb[i].has_window = 1;
            rgb[i].max = rgb[i].end = 255.0;
        }
    }
    return ngff_source_set_channels(s, rgb, (size_t)count, err);
}

/* Zeroes in a caller's description mean "not said". */
static ngff_status fill_axes(ngff_image_desc *desc, ngff_error *err) {
    bool named = false;
    for (int i = 0; i < desc->ndim; i++)
        named = named || desc->axes[i].name[0] != '\0';
    ngff_axis standard[NGFF_MAX_NDIM];
    ngff_ome_axes_default(desc->ndim, standard);
    for (int i = 0; i < desc->ndim; i++) {
        ngff_axis *axis = &desc->axes[i];
        if (axis->scale == 0.0)
            axis->scale = 1.0;
        if (!named)
            ngff_copy_text(axis->name, sizeof axis->name, standard[i].name);
        if (axis->type[0])
            continue;
        ngff_axis typed;
        NGFF_TRY(ngff_ome_axes_from_dims(axis->name, 1, &typed, err));
        ngff_copy_text(axis->type, sizeof axis->type, typed.type);
    }
    return NGFF_OK;
}

ngff_status ngff_source_describe_as(ngff_source *s, const ngff_image_desc *desc,
                                    ngff_error *err) {
    if (ngff_dtype_size((ngff_dtype)desc->dtype) == 0)
        return ngff_fail(err, NGFF_INVALID, "image description: data type %d is unknown",
                         (int)desc->dtype);
    if (desc->channel_count > 0 && !desc->channels)
        return ngff_fail(err, NGFF_INVALID,
                         "image description: %zu channels counted, none given",
                         desc->channel_count);
    if (ngff_source_take_image(s, (ngff_dtype)desc->dtype, desc->ndim, desc->shape, NULL,
                               err) != NGFF_OK)
        return NGFF_INVALID; /* a caller's mistake, not a file's */
    ngff_ome_image copy;
    NGFF_TRY(ngff_ome_image_copy(s->alloc, desc, &copy, err));
    ngff_ome_image_reset(&s->image);
    s->image = copy;
    return fill_axes(&s->image.desc, err);
}
