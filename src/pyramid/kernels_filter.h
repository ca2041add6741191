/* pyramid: template of one filter pass along any axis (pixels.md 4). Parameters: TAP, the
 * type of the rows read; LOADF(x), one of them as F; BOTH(a, b, c), (a - c) + (b - c) as
 * F; F, the accumulator; FILTER(name), the names. */

/* Few pairs, all sums in registers. `even`: pair 0 is the centre and its neighbour, so
 * that half of its difference is 0. */
ALWAYS_INLINE void FILTER(few)(const void *const *tap, const ngff_filter *f, int pairs,
                               bool even, int64_t at, int64_t n, F *restrict out) {
    typedef TAP row UNALIGNED;
    const row *centre = (const row *)tap[0] + at;
    const row *lo[FEW_PAIRS], *hi[FEW_PAIRS];
    F weight[FEW_PAIRS];
    UNROLLED
    for (int p = 0; p < pairs; p++) {
        lo[p] = (const row *)tap[1 + 2 * p] + at;
        hi[p] = (const row *)tap[2 + 2 * p] + at;
        weight[p] = (F)f->weight[p];
    }
    ROLLED
    for (int64_t i = 0; i < n; i++) {
        F c = LOADF(centre[i]);
        F sum = weight[0] *
                (even ? LOADF(hi[0][i]) - c : BOTH(lo[0][i], hi[0][i], centre[i]));
        UNROLLED
        for (int p = 1; p < pairs; p++)
            sum += weight[p] * BOTH(lo[p][i], hi[p][i], centre[i]);
        out[at + i] = c + sum;
    }
}

/* Whole vectors; what is left over is done again as part of the last one. */
ALWAYS_INLINE void FILTER(row)(const void *const *tap, const ngff_filter *f, int pairs,
                               bool even, int64_t n, F *restrict out) {
    enum { PART = 16 };
    if (n < PART) {
        FILTER(few)(tap, f, pairs, even, 0, n, out);
        return;
    }
    FILTER(few)(tap, f, pairs, even, 0, n - n % PART, out);
    if (n % PART != 0)
        FILTER(few)(tap, f, pairs, even, n - PART, PART, out);
}

static void FILTER(many)(const void *const *tap, const ngff_filter *f, int64_t n,
                         F *restrict out) {
    typedef TAP row UNALIGNED;
    enum { PART = 256 };
    F sum[PART];
    for (int64_t at = 0; at < n; at += PART) {
        int64_t count = ngff_min_i64(PART, n - at);
        const row *centre = (const row *)tap[0] + at;
        for (int p = 0; p < f->pairs; p++) {
            const row *lo = (const row *)tap[1 + 2 * p] + at;
            const row *hi = (const row *)tap[2 + 2 * p] + at;
            F weight = (F)f->weight[p];
            ROLLED
            for (int64_t i = 0; i < count; i++) {
                F term = weight * BOTH(lo[i], hi[i], centre[i]);
                sum[i] = p == 0 ? term : sum[i] + term;
            }
        }
        ROLLED
        for (int64_t i = 0; i < count; i++)
            out[at + i] = LOADF(centre[i]) + sum[i];
    }
}

static void FILTER(pass)(const void *const *tap, const ngff_filter *f, int64_t n,
                         void *out) {
    if (f->step == 2)
        FILTER(row)(tap, f, 3, true, n, out);
    else if (f->step == 3)
        FILTER(row)(tap, f, 3, false, n, out);
    else if (f->step == 4)
        FILTER(row)(tap, f, 5, true, n, out);
    else
        FILTER(many)(tap, f, n, out);
}

#undef TAP
#undef BOTH
#undef FILTER
