/* pyramid: automatic levels, pixels.md 13 and to_ngff_zarr.md 2.2. */
#include "pyramid/automatic.h"
#include <math.h>

bool ngff_pyramid_is_spatial(char axis) {
    return axis == 'z' || axis == 'y' || axis == 'x';
}

typedef struct state {
    const ngff_levels_request *request;
    const int64_t *chunk;
    int64_t size[NGFF_MAX_NDIM];
    int64_t factor[NGFF_MAX_NDIM];
} state;

static bool spatial(const state *s, int axis) {
    return ngff_pyramid_is_spatial(s->request->axis[axis]);
}

static bool is_worth_halving(const state *s) {
    for (int i = 0; i < s->request->ndim; i++) {
        if (spatial(s, i) && s->size[i] / 2 >= s->chunk[i])
            return true;
    }
    return false;
}

/* An axis is halved unless it is already half of the longest, or would get shorter than a
 * chunk. */
static void choose_by_size(const state *s, bool halve[NGFF_MAX_NDIM]) {
    int64_t longest = 1;
    for (int i = 0; i < s->request->ndim; i++) {
        if (spatial(s, i))
            longest = ngff_max_i64(longest, s->size[i]);
    }
    for (int i = 0; i < s->request->ndim; i++) {
        halve[i] =
            spatial(s, i) && s->size[i] > longest / 2 && s->size[i] / 2 >= s->chunk[i];
    }
}

static bool choose_finer(const state *s, double ratio, bool halve[NGFF_MAX_NDIM]) {
    double coarsest = 0;
    for (int i = 0; i < s->request->ndim; i++) {
        if (spatial(s, i))
            coarsest = fmax(coarsest, fabs(s->request->scale[i]) * (double)s->factor[i]);
    }
    bool any = false;
    for (int i = 0; i < s->request->ndim; i++) {
        double spacing = fabs(s->request->scale[i]) * (double)s->factor[i];
        halve[i] = spatial(s, i) && s->size[i] >= 2 && coarsest >= ratio * spacing;
        any = any || halve[i];
    }
    return any;
}

/* The finer axes until the voxel is about a cube, then all of them. */
static void choose_by_spacing(const state *s, bool halve[NGFF_MAX_NDIM]) {
    if (!choose_finer(s, sqrt(2.0), halve))
        (void)choose_finer(s, 0.0, halve);
}

static bool halve_once(state *s) {
    bool halve[NGFF_MAX_NDIM] = {false};
    if (s->request->isotropic)
        choose_by_spacing(s, halve);
    else
        choose_by_size(s, halve);
    double volume = 1;
    bool any = false;
    for (int i = 0; i < s->request->ndim; i++) {
        if (halve[i]) {
            s->size[i] /= 2;
            s->factor[i] *= 2;
            any = true;
        }
        if (spatial(s, i))
            volume *= (double)s->size[i];
    }
    int64_t least = s->request->min_size > 0 ? s->request->min_size : 128;
    return any && volume >= 2.0 * (double)least;
}

int ngff_pyramid_automatic(const ngff_levels_request *request,
                           const int64_t chunk[NGFF_MAX_NDIM],
                           int64_t factors[NGFF_MAX_LEVELS][NGFF_MAX_NDIM], bool *cut) {
    state s = {.request = request, .chunk = chunk};
    for (int i = 0; i < request->ndim; i++) {
        s.size[i] = request->shape[i];
        s.factor[i] = 1;
    }
    memcpy(factors[0], s.factor, sizeof s.factor);
    int count = 0;
    *cut = false;
    while (is_worth_halving(&s) && halve_once(&s)) {
        if (count + 1 == NGFF_MAX_LEVELS) {
            *cut = true;
            break;
        }
        count++;
        memcpy(factors[count], s.factor, sizeof s.factor);
    }
    return count;
}
