/* pyramid: template of min and max. Parameters: EXTREME (name), BETTER(a, b), IN(x),
 * OUT(k). */
#define EX(name) CAT(CAT(EXTREME, name), NAME)

static void EX(rows)(const ngff_block *b, int64_t at, int64_t n, K *restrict acc) {
    const ROW *first = (const ROW *)b->row[0] + at;
    for (int64_t i = 0; i < n; i++)
        acc[i] = IN(first[i]);
    for (int64_t r = 1; r < b->rows; r++) {
        const ROW *row = (const ROW *)b->row[r] + at;
        for (int64_t i = 0; i < n; i++) {
            K key = IN(row[i]);
            acc[i] = BETTER(acc[i], key);
        }
    }
}

static inline __attribute__((always_inline)) void
EX(fold)(const K *acc, int64_t step, int64_t count, ROW *restrict out) {
    for (int64_t i = 0; i < count; i++) {
        K best = acc[i * step];
        for (int64_t p = 1; p < step; p++)
            best = BETTER(best, acc[i * step + p]);
        out[i] = OUT(best);
    }
}

/* A block longer than STRIP: strips of it, one result at a time. */
static void EX(large)(const ngff_block *b, ROW *out) {
    K acc[STRIP];
    for (int64_t i = 0; i < b->count; i++) {
        K best = IN(((const ROW *)b->row[0])[i * b->step]);
        for (int64_t at = 0; at < b->step; at += STRIP) {
            int64_t n = ngff_min_i64(STRIP, b->step - at);
            EX(rows)(b, i * b->step + at, n, acc);
            for (int64_t p = 0; p < n; p++)
                best = BETTER(best, acc[p]);
        }
        out[i] = OUT(best);
    }
}

static void FN(EXTREME)(const ngff_block *b, void *dst, void *tile) {
    (void)tile;
    ROW *out = dst;
    if (b->step > STRIP) {
        EX(large)(b, out);
        return;
    }
    int64_t strip = STRIP / b->step;
    K acc[STRIP];
    for (int64_t at = 0; at < b->count; at += strip) {
        int64_t count = ngff_min_i64(strip, b->count - at);
        EX(rows)(b, at * b->step, count * b->step, acc);
        if (b->step == 2)
            EX(fold)(acc, 2, count, out + at);
        else if (b->step == 3)
            EX(fold)(acc, 3, count, out + at);
        else if (b->step == 4)
            EX(fold)(acc, 4, count, out + at);
        else
            EX(fold)(acc, b->step, count, out + at);
    }
}

#undef EX
#undef EXTREME
#undef BETTER
#undef IN
#undef OUT
