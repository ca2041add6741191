/* pyramid: weights of the discrete Gaussian, e^-t I_n(t), and their folding with
 * sampling. */
#include "pyramid/filter.h"
#include <assert.h>
#include <math.h>

enum { MAX_RADIUS = 32 };

/* g[n] = e^-t I_n(t), n = 0..MAX_RADIUS, by Miller's downward recurrence
 * I_(n-1) = I_(n+1) + (2n/t) I_n, scaled by I_0 + 2 (I_1 + I_2 + ...) = e^t. Beyond
 * twelve standard deviations (and 40 more) what is left out is below the precision. */
static void bessel_weights(long double t, long double g[MAX_RADIUS + 1]) {
    int start = 40 + MAX_RADIUS + (int)(12.0L * sqrtl(t));
    long double above = 0, here = 1e-300L, sum = 0;
    for (int n = start; n > 0; n--) {
        if (n <= MAX_RADIUS)
            g[n] = here;
        sum += 2 * here;
        long double below = above + 2 * (long double)n / t * here;
        above = here;
        here = below;
        if (here > 1e200L) { /* rescale everything seen so far */
            here *= 1e-200L;
            above *= 1e-200L;
            sum *= 1e-200L;
            for (int m = n; m <= MAX_RADIUS; m++)
                g[m] *= 1e-200L;
        }
    }
    g[0] = here;
    sum += here;
    for (int n = 0; n <= MAX_RADIUS; n++)
        g[n] /= sum;
}

/* The radius at which the two-sided sum reaches 0.99; g is renormalised to it. */
static int truncate_weights(long double g[MAX_RADIUS + 1]) {
    int radius = 1;
    long double sum = g[0] + 2 * g[1];
    while (sum < 0.99L && radius < MAX_RADIUS)
        sum += 2 * g[++radius];
    for (int n = 0; n <= radius; n++)
        g[n] /= sum;
    return radius;
}

void ngff_filter_init(ngff_filter *f, int64_t step) {
    assert(step >= 2 && step <= NGFF_FILTER_MAX_STEP);
    long double k = (long double)step;
    long double g[MAX_RADIUS + 1];
    bessel_weights((k * k - 1) / (8 * logl(2.0L)), g);
    int radius = truncate_weights(g);
    f->step = step;
    f->centre = (step - 1) / 2;
    if (step % 2 == 1) {
        f->pairs = radius;
        for (int p = 0; p < radius; p++) {
            f->lo[p] = f->centre - 1 - p;
            f->hi[p] = f->centre + 1 + p;
            f->weight[p] = g[p + 1];
        }
        return;
    }
    /* Half way between two voxels: the mean of the Gaussians around both. */
    f->pairs = radius + 1;
    for (int p = 0; p <= radius; p++) {
        f->lo[p] = f->centre - p;
        f->hi[p] = f->centre + 1 + p;
        f->weight[p] = 0.5L * (g[p] + (p < radius ? g[p + 1] : 0));
    }
}

void ngff_filter_reach(const ngff_filter *f, int64_t *lowest, int64_t *highest) {
    *lowest = f->lo[f->pairs - 1];
    *highest = f->hi[f->pairs - 1];
}
