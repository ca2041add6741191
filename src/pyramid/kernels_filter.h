/* pyramid: template of one filter pass along any axis (pixels.md 4). Parameters: TAP, the
 * type of the rows read; LOADF(x), one of them as F; F, the accumulator; FILTER(name),
 * the names. */

static inline __attribute__((always_inline)) void FILTER(few)(const void *const *tap,
                                                              const ngff_filter *f,
                                                              int pairs, int64_t n,
                                                              F *restrict out) {
    typedef TAP row UNALIGNED;
    const row *centre = tap[0];
    const row *lo[FEW_PAIRS], *hi[FEW_PAIRS];
    F weight[FEW_PAIRS];
    for (int p = 0; p < pairs; p++) {
        lo[p] = tap[1 + 2 * p];
        hi[p] = tap[2 + 2 * p];
        weight[p] = (F)f->weight[p];
    }
    for (int64_t i = 0; i < n; i++) {
        F c = LOADF(centre[i]);
        F sum = weight[0] * ((LOADF(lo[0][i]) - c) + (LOADF(hi[0][i]) - c));
        for (int p = 1; p < pairs; p++)
            sum += weight[p] * ((LOADF(lo[p][i]) - c) + (LOADF(hi[p][i]) - c));
        out[i] = c + sum;
    }
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
            for (int64_t i = 0; i < count; i++) {
                F c = LOADF(centre[i]);
                F term = weight * ((LOADF(lo[i]) - c) + (LOADF(hi[i]) - c));
                sum[i] = p == 0 ? term : sum[i] + term;
            }
        }
        for (int64_t i = 0; i < count; i++)
            out[at + i] = LOADF(centre[i]) + sum[i];
    }
}

static void FILTER(pass)(const void *const *tap, const ngff_filter *f, int64_t n,
                         void *out) {
    if (f->pairs == 3) /* steps 2 and 3 */
        FILTER(few)(tap, f, 3, n, out);
    else if (f->pairs == 5) /* step 4 */
        FILTER(few)(tap, f, 5, n, out);
    else
        FILTER(many)(tap, f, n, out);
}

#undef TAP
#undef FILTER
