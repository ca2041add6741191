/* pyramid: template of the mean of 2, 2 x 2 and 2 x 2 x 2 blocks of integers up to 32
 * bits. Two neighbours in x are read as one PAIR; the sum of its halves is the same
 * whichever of them comes first, and nothing has to be shuffled. Signed values are
 * shifted to unsigned ones by flipping the sign bit, which the mean and its rounding
 * follow (floor(x + 1/2) moves along with whole numbers). Parameters, besides those of
 * kernels_type.h: PAIR, FLIP. Consumes PAIR and FLIP. */

ALWAYS_INLINE PAIR FN(pair_sum)(PAIR v) {
    const int bits = 8 * (int)sizeof(T);
    v ^= (PAIR)(FLIP | (PAIR)FLIP << bits);
    return (PAIR)((PAIR)(v & (((PAIR)1 << bits) - 1)) + (PAIR)(v >> bits));
}

ALWAYS_INLINE void FN(mean_pairs_part)(const ngff_block *b, int rows, int64_t at,
                                       int64_t count, ROW *restrict out) {
    typedef PAIR pair UNALIGNED;
    const pair *row[4];
    UNROLLED
    for (int r = 0; r < rows; r++)
        row[r] = (const pair *)((const ROW *)b->row[r] + 2 * at);
    const int shift = rows == 4 ? 3 : rows;
    ROLLED
    for (int64_t i = 0; i < count; i++) {
        PAIR sum = (PAIR)rows;
        UNROLLED
        for (int r = 0; r < rows; r++)
            sum = (PAIR)(sum + FN(pair_sum)(row[r][i]));
        out[i] = (T)((T)(sum >> shift) ^ (T)FLIP);
    }
}

ALWAYS_INLINE void FN(mean_pairs_rows)(const ngff_block *b, int rows, ROW *out) {
    enum { PART = 128 / (int)sizeof(PAIR) };
    if (b->count < PART) {
        FN(mean_pairs_part)(b, rows, 0, b->count, out);
        return;
    }
    /* The last part may overlap the one before: all have the same length. */
    for (int64_t next = 0; next < b->count; next += PART) {
        int64_t at = ngff_min_i64(next, b->count - PART);
        FN(mean_pairs_part)(b, rows, at, PART, out + at);
    }
}

/* False when the block is of another kind. */
static bool FN(mean_of_pairs)(const ngff_block *b, ROW *out) {
    if (b->step != 2)
        return false;
    if (b->rows == 4)
        FN(mean_pairs_rows)(b, 4, out);
    else if (b->rows == 2)
        FN(mean_pairs_rows)(b, 2, out);
    else if (b->rows == 1)
        FN(mean_pairs_rows)(b, 1, out);
    return b->rows == 4 || b->rows <= 2;
}
#define MEAN_OF_PAIRS(b, n, out) FN(mean_of_pairs)(b, out)

#undef PAIR
#undef FLIP
