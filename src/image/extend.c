/* image: more levels for an image that exists. Levels below `first` are the old image's
 * own arrays; the others are new ones. Readers see, at every moment, a root document that
 * names only complete levels:
 *
 *   ngff_image_extend   in memory only
 *   ngff_image_cut      the root names the kept levels; then the others are removed, and
 *                       the new ones get their documents, so that what is left behind by
 *                       a crash is a Zarr hierarchy
 *   (pixels)
 *   ngff_image_finish   the root names all of them */
#include "image/inside.h"

#include <stdio.h>

/* "scale1/image" -> "scale1"; "1" -> "1" */
static void top_of(const char *path, char *out, size_t out_size) {
    (void)ngff_copy_text(out, out_size, path);
    out[strcspn(out, "/")] = '\0';
}

static bool lies_in(const char *path, const char *dir) {
    size_t len = strlen(dir);
    return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static ngff_status check_kept(const ngff_image *old, const ngff_image *image, int first,
                              ngff_error *err) {
    for (int n = 0; n < first; n++) {
        const ngff_zarr_meta *want = &image->level[n]->meta, *have = &old->level[n]->meta;
        char a[128], b[128];
        bool same = want->zarr_format == have->zarr_format;
        for (int d = 0; d < want->ndim; d++)
            same = same && want->shape[d] == have->shape[d];
        ngff_nd_shape_text(have->ndim, have->shape, a, sizeof a);
        ngff_nd_shape_text(want->ndim, want->shape, b, sizeof b);
        if (!same)
            return ngff_fail(err, NGFF_INVALID,
                             "%s: is %s (Zarr v%d), the levels were planned for %s (v%d)",
                             old->level[n]->path, a, have->zarr_format, b,
                             want->zarr_format);
    }
    for (int n = first; n < image->level_count; n++)
        for (int k = 0; k < first; k++) {
            char top[320];
            top_of(image->ms.level[n].path, top, sizeof top);
            if (lies_in(old->ms.level[k].path, top))
                return ngff_fail(err, NGFF_UNSUPPORTED,
                                 "level %d would lie in %s, where level %d is", n, top,
                                 k);
        }
    return NGFF_OK;
}

static void keep(ngff_image *old, ngff_image *image, int first) {
    for (int n = 0; n < first; n++) {
        ngff_zarr_array *array = image->level[n];
        image->level[n] = old->level[n];
        old->level[n] = array; /* closed with it */
        image->ms.level[n] = old->ms.level[n];
    }
    image->first_new = first;
}

typedef struct survey {
    const ngff_image *old, *image;
    bool others;
} survey;

static ngff_status look(void *user, const char *name, bool is_prefix) {
    survey *s = user;
    bool ours = !is_prefix;
    for (int n = 0; n < s->old->level_count; n++)
        ours = ours || lies_in(s->old->ms.level[n].path, name);
    for (int n = 0; n < s->image->level_count; n++)
        ours = ours || lies_in(s->image->ms.level[n].path, name);
    s->others = s->others || !ours;
    return NGFF_OK;
}

/* The consolidated form that is written names this image's nodes only: where there are
 * others (labels), or where there was none, none is better. */
static ngff_status choose_consolidation(const ngff_image *old, ngff_image *image,
                                        ngff_error *err) {
    survey s = {old, image, false};
    bool had;
    NGFF_TRY(ngff_store_list(image->store, "", look, &s, err));
    NGFF_TRY(ngff_zarr_is_consolidated(image->store, &had, err));
    image->opts.no_consolidate = image->opts.no_consolidate || s.others || !had;
    return NGFF_OK;
}

ngff_status ngff_image_extend(ngff_image *old, const ngff_image_level *levels,
                              const ngff_image_create_opts *opts, int first,
                              ngff_image **out, ngff_error *err) {
    *out = NULL;
    if (old->path[0] != '\0')
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: the image is not at the root",
                         old->path);
    if (first < 1 || first > old->level_count || first >= opts->level_count)
        return ngff_fail(err, NGFF_INVALID,
                         "levels %d to %d, but the image has levels 0 to %d", first,
                         opts->level_count - 1, old->level_count - 1);
    ngff_image *image;
    NGFF_TRY(ngff_image_create(old->alloc, old->store, &old->ms.image.desc, levels, opts,
                               &image, err));
    ngff_status status = check_kept(old, image, first, err);
    if (status == NGFF_OK)
        status = choose_consolidation(old, image, err);
    if (status == NGFF_OK && !image->ms.more && image->ms.version >= NGFF_V06)
        status = ngff_ome_more_of(old->ms.extra, &image->ms.more, err);
    if (status == NGFF_OK && old->ms.extra)
        status = ngff_json_dup(old->ms.extra, &image->root_attributes, err);
    if (status != NGFF_OK) {
        ngff_image_close(&image);
        return status;
    }
    keep(old, image, first);
    *out = image;
    return NGFF_OK;
}

/* ---- cutting --------------------------------------------------------------------- */

static ngff_status put_short_root(ngff_image *image, ngff_error *err) {
    const int all = image->level_count;
    image->level_count = image->ms.level_count = image->first_new;
    ngff_status status = ngff_image_finish(image, err);
    image->level_count = image->ms.level_count = all;
    /* What it no longer names may go when the old one can no longer come back. */
    return status == NGFF_OK ? ngff_store_publish(image->store, err) : status;
}

static ngff_status remove_levels(ngff_image *image, const ngff_ome_multiscales *ms,
                                 ngff_error *err) {
    char top[320];
    for (int n = image->first_new; n < ms->level_count; n++) {
        bool shared = false;
        top_of(ms->level[n].path, top, sizeof top);
        for (int k = 0; k < image->first_new; k++)
            shared = shared || lies_in(image->ms.level[k].path, top);
        NGFF_TRY(
            ngff_store_erase_prefix(image->store, shared ? ms->level[n].path : top, err));
    }
    return NGFF_OK;
}

ngff_status ngff_image_cut(const ngff_image *old, ngff_image *image, ngff_error *err) {
    uint64_t size;
    if (image->opts.no_consolidate &&
        ngff_store_size(image->store, ".zmetadata", &size, NULL) == NGFF_OK)
        NGFF_TRY(ngff_store_erase(image->store, ".zmetadata", err));
    if (old->level_count > image->first_new)
        NGFF_TRY(put_short_root(image, err));
    NGFF_TRY(remove_levels(image, &old->ms, err));
    NGFF_TRY(remove_levels(image, &image->ms, err));
    for (int n = image->first_new; n < image->level_count; n++)
        NGFF_TRY(ngff_image_put_level(image, n, err));
    return NGFF_OK;
}
