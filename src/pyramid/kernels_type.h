/* pyramid: template of the row kernels of one element type. Parameters:
 *   NAME, T     the name of the set and the stored type
 *   K           the integer that orders like the value: KEY(x), KEY0(x) (-0 made 0),
 *               UNKEY(k), KEY_IGNORED(x) (NaN below everything), UNKEY_IGNORED(k)
 *   ACC         sums of up to MEAN_LIMIT values, exact for integers; LOAD(x)
 *   WIDE        sums of any number of values
 *   MEAN_SHIFT(s), MEAN_DIVIDE(s), MEAN_WIDE(s): block mean from a sum; n, half, shift
 *   MIDDLE(a, b, top): median from the middle two and the highest key
 *   F, FNAME    filter accumulator; LOADF(x), STOREF(v) */

typedef T CAT(row, NAME) UNALIGNED;
#define ROW CAT(row, NAME)

/* ---- mean ---------------------------------------------------------------------------
 */

static void FN(sum_rows)(const ngff_block *b, int64_t at, int64_t n, ACC *restrict acc) {
    const ROW *first = (const ROW *)b->row[0] + at;
    for (int64_t i = 0; i < n; i++)
        acc[i] = LOAD(first[i]);
    int64_t r = 1;
    for (; r + 1 < b->rows; r += 2) {
        const ROW *one = (const ROW *)b->row[r] + at;
        const ROW *two = (const ROW *)b->row[r + 1] + at;
        for (int64_t i = 0; i < n; i++)
            acc[i] = (acc[i] + LOAD(one[i])) + LOAD(two[i]);
    }
    if (r < b->rows) {
        const ROW *one = (const ROW *)b->row[r] + at;
        for (int64_t i = 0; i < n; i++)
            acc[i] += LOAD(one[i]);
    }
}

ALWAYS_INLINE void FN(mean_fold)(const ACC *acc, int64_t step, int64_t n, int64_t count,
                                 ROW *restrict out) {
    MEAN_CONSTANTS(n);
    if (is_power) {
        for (int64_t i = 0; i < count; i++) {
            ACC sum = acc[i * step];
            for (int64_t p = 1; p < step; p++)
                sum += acc[i * step + p];
            out[i] = (T)MEAN_SHIFT(sum);
        }
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        ACC sum = acc[i * step];
        for (int64_t p = 1; p < step; p++)
            sum += acc[i * step + p];
        out[i] = (T)MEAN_DIVIDE(sum);
    }
}

/* Blocks too large for ACC or STRIP; floats are summed in the same order as above. */
static void FN(mean_large)(const ngff_block *b, int64_t n, ROW *out) {
    for (int64_t i = 0; i < b->count; i++) {
        WIDE sum = 0;
        for (int64_t p = 0; p < b->step; p++) {
            WIDE column = (WIDE)LOAD(((const ROW *)b->row[0])[i * b->step + p]);
            for (int64_t r = 1; r < b->rows; r++)
                column += (WIDE)LOAD(((const ROW *)b->row[r])[i * b->step + p]);
            sum = p == 0 ? column : sum + column;
        }
        out[i] = (T)MEAN_WIDE(sum);
    }
}

#if MEAN_PAIRS
#include "pyramid/kernels_pairs.h"
#else
#define MEAN_OF_PAIRS(b, n, out) false
#endif

static void FN(mean)(const ngff_block *b, void *dst, void *tile) {
    (void)tile;
    ROW *out = dst;
    int64_t n = b->rows * b->step;
    if (MEAN_OF_PAIRS(b, n, out))
        return;
    if (n > MEAN_LIMIT || b->step > STRIP) {
        FN(mean_large)(b, n, out);
        return;
    }
    int64_t strip = STRIP / b->step;
    ACC acc[STRIP];
    for (int64_t at = 0; at < b->count; at += strip) {
        int64_t count = ngff_min_i64(strip, b->count - at);
        FN(sum_rows)(b, at * b->step, count * b->step, acc);
        if (b->step == 1)
            FN(mean_fold)(acc, 1, n, count, out + at);
        else if (b->step == 2)
            FN(mean_fold)(acc, 2, n, count, out + at);
        else if (b->step == 3)
            FN(mean_fold)(acc, 3, n, count, out + at);
        else if (b->step == 4)
            FN(mean_fold)(acc, 4, n, count, out + at);
        else
            FN(mean_fold)(acc, b->step, n, count, out + at);
    }
}

#undef MEAN_OF_PAIRS

/* ---- min and max ----------------------------------------------------------------------
 */

#define EXTREME min
#define BETTER(a, b) ((a) < (b) ? (a) : (b))
#define IN(x) KEY(x)
#define OUT(k) UNKEY(k)
#include "pyramid/kernels_extreme.h"
#define EXTREME max
#define BETTER(a, b) ((a) > (b) ? (a) : (b))
#define IN(x) KEY_IGNORED(x)
#define OUT(k) UNKEY_IGNORED(k)
#include "pyramid/kernels_extreme.h"

/* ---- mode and median
 * -------------------------------------------------------------------- */

#include "pyramid/kernels_sort.h"

/* ---- filter
 * ------------------------------------------------------------------------------ */

static void FN(load)(const void *row, int64_t n, void *dst) {
    const ROW *in = row;
    F *restrict out = dst;
    for (int64_t i = 0; i < n; i++)
        out[i] = LOADF(in[i]);
}

static void FN(store)(const void *row, int64_t n, void *dst) {
    const F *in = row;
    ROW *restrict out = dst;
    for (int64_t i = 0; i < n; i++)
        out[i] = (T)STOREF(in[i]);
}

#define TAP T
#define BOTH(a, b, c) PAIR_TERM(a, b, c)
#define FILTER(name) CAT(CAT(source, name), NAME)
#include "pyramid/kernels_filter.h"

#undef ROW
#undef NAME
#undef T
#undef K
#undef STOREF
