/* pyramid: template of min and max. Parameters: EXTREME (name), BETTER(a, b), IN(x),
 * OUT(k). */
#define EX(name) CAT(CAT(EXTREME, name), NAME)

/* The best of all rows, element by element. */
ALWAYS_INLINE void EX(rows)(const ngff_block *b, int64_t at, int64_t n, K *restrict acc) {
    const ROW *first = (const ROW *)b->row[0] + at;
    int64_t r = 1;
    if (b->rows >= 4) {
        const ROW *second = (const ROW *)b->row[1] + at;
        const ROW *third = (const ROW *)b->row[2] + at;
        const ROW *fourth = (const ROW *)b->row[3] + at;
        ROLLED
        for (int64_t i = 0; i < n; i++) {
            K x = IN(first[i]), y = IN(second[i]), z = IN(third[i]), w = IN(fourth[i]);
            x = BETTER(x, y);
            z = BETTER(z, w);
            acc[i] = BETTER(x, z);
        }
        r = 4;
    } else {
        ROLLED
        for (int64_t i = 0; i < n; i++)
            acc[i] = IN(first[i]);
    }
    for (; r < b->rows; r++) {
        const ROW *row = (const ROW *)b->row[r] + at;
        ROLLED
        for (int64_t i = 0; i < n; i++) {
            K key = IN(row[i]);
            acc[i] = BETTER(acc[i], key);
        }
    }
}

ALWAYS_INLINE void EX(part)(const ngff_block *b, int64_t step, int64_t at, int64_t count,
                            ROW *restrict out) {
    K acc[STRIP];
    EX(rows)(b, at * step, count * step, acc);
    if (step == 4) { /* halving twice is what vectorises */
        ROLLED
        for (int64_t i = 0; i < 2 * count; i++)
            acc[i] = BETTER(acc[2 * i], acc[2 * i + 1]);
        step = 2;
    }
    ROLLED
    for (int64_t i = 0; i < count; i++) {
        K best = acc[i * step];
        for (int64_t p = 1; p < step; p++)
            best = BETTER(best, acc[i * step + p]);
        out[i] = OUT(best);
    }
}

/* Parts of one length; the last may overlap the one before. */
ALWAYS_INLINE void EX(parts)(const ngff_block *b, int64_t step, ROW *out) {
    enum { PART = 64 };
    for (int64_t next = 0; next < b->count; next += PART) {
        int64_t at = ngff_min_i64(next, b->count - PART);
        EX(part)(b, step, at, PART, out + at);
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

static void EX(strips)(const ngff_block *b, ROW *out) {
    int64_t strip = STRIP / b->step;
    for (int64_t at = 0; at < b->count; at += strip)
        EX(part)(b, b->step, at, ngff_min_i64(strip, b->count - at), out + at);
}

static void FN(EXTREME)(const ngff_block *b, void *dst, void *tile) {
    (void)tile;
    if (b->step > STRIP)
        EX(large)(b, dst);
    else if (b->count < 64 || b->step > 4 || b->step == 1)
        EX(strips)(b, dst);
    else if (b->step == 2)
        EX(parts)(b, 2, dst);
    else if (b->step == 3)
        EX(parts)(b, 3, dst);
    else
        EX(parts)(b, 4, dst);
}

#undef EX
#undef EXTREME
#undef BETTER
#undef IN
#undef OUT
