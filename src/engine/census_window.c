/* census: from counts to numbers. */
#include "engine/census_inside.h"

#include <math.h>

static double float_of(uint64_t key) {
    uint32_t bits = (uint32_t)key;
    bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
    float f;
    memcpy(&f, &bits, sizeof f);
    return (double)f;
}

static double double_of(uint64_t key) {
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits = key & sign ? key & ~sign : ~key;
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static double half_of(uint64_t key) {
    uint16_t bits = (uint16_t)key;
    bits = (uint16_t)(bits & 0x8000u ? bits & 0x7fffu : ~bits & 0xffffu);
    return (double)ngff_half_to_float(bits);
}

static double value_of(ngff_dtype dtype, uint64_t key) {
    switch (dtype) {
    case NGFF_INT8:
        return (double)key - 0x80;
    case NGFF_INT16:
        return (double)key - 0x8000;
    case NGFF_INT32:
        return (double)key - 0x80000000u;
    case NGFF_INT64:
        return key >> 63 ? (double)(key & INT64_MAX)
                         : -(double)(((uint64_t)1 << 63) - key);
    case NGFF_FLOAT16:
        return half_of(key);
    case NGFF_FLOAT32:
        return float_of(key);
    case NGFF_FLOAT64:
        return double_of(key);
    default:
        return (double)key;
    }
}

/* The value of rank `rank` (0: the smallest). Inside a bin that holds several values they
 * are taken to lie evenly between its ends. */
static double ranked(const ngff_census *c, int64_t channel, uint64_t rank) {
    const ngff_census_channel *all = &c->channel[channel];
    const uint64_t *bins = c->bins + (size_t)channel * c->bin_count;
    const int shift = ngff_census_shift(c->dtype);
    size_t i = 0;
    assert(rank < all->count);
    while (rank >= bins[i])
        rank -= bins[i++];
    uint64_t lo = (uint64_t)i << shift, hi = lo + ((uint64_t)1 << shift) - 1;
    lo = lo < all->min ? all->min : lo;
    hi = hi > all->max ? all->max : hi;
    double a = value_of(c->dtype, lo), b = value_of(c->dtype, hi);
    return shift == 0 ? a : a + (b - a) * (((double)rank + 0.5) / (double)bins[i]);
}

static double quantile(const ngff_census *c, int64_t channel, double q) {
    const uint64_t last = c->channel[channel].count - 1;
    double at = q * (double)last, below = floor(at);
    uint64_t rank = below >= (double)last ? last : (uint64_t)below;
    double a = ranked(c, channel, rank);
    double part = at - below;
    if (rank == last || part <= 0.0)
        return a;
    return a * (1.0 - part) + ranked(c, channel, rank + 1) * part;
}

void ngff_census_window_of(const ngff_census *census, int64_t channel, double low,
                           double high, ngff_census_window *out) {
    const ngff_census_channel *all = &census->channel[channel];
    *out = (ngff_census_window){0.0, 1.0, 0.0, 1.0};
    if (all->count == 0)
        return;
    out->min = value_of(census->dtype, all->min);
    out->max = value_of(census->dtype, all->max);
    out->start = quantile(census, channel, low);
    out->end = quantile(census, channel, high);
}
