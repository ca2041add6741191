/* pyramid: template of mode and median. A tile holds LANES blocks side by side, value j
 * of every block in tile[j][...]; comparing and exchanging whole lanes sorts them all at
 * once, and a tile of uniform blocks (most of a label image) is not sorted at all. */
#define LANES ((int)(NGFF_TILE_BYTES / sizeof(K)))
typedef K CAT(lanes, NAME)[NGFF_TILE_BYTES / sizeof(K)];
#define TILE CAT(lanes, NAME)

static inline __attribute__((always_inline)) void
FN(pick)(const ROW *row, int64_t step, int64_t count, K *restrict lane) {
    for (int64_t i = 0; i < count; i++)
        lane[i] = KEY0(row[i * step]);
}

/* Fills the tile with the blocks from `at` on; true when each holds one value only. */
static bool FN(gather)(const ngff_block *b, int64_t at, int64_t count, TILE *tile) {
    K differs[NGFF_TILE_BYTES / sizeof(K)] = {0};
    int64_t j = 0;
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t p = 0; p < b->step; p++, j++) {
            const ROW *row = (const ROW *)b->row[r] + at * b->step + p;
            if (b->step == 2 && count == LANES)
                FN(pick)(row, 2, LANES, tile[j]);
            else
                FN(pick)(row, b->step, count, tile[j]);
            for (int i = 0; i < LANES; i++)
                differs[i] |= tile[j][i] ^ tile[0][i];
        }
    }
    K any = 0;
    for (int i = 0; i < LANES; i++)
        any |= differs[i];
    return any == 0;
}

static inline __attribute__((always_inline)) void FN(exchange)(K *restrict a,
                                                               K *restrict b) {
    for (int i = 0; i < LANES; i++) {
        K low = a[i] < b[i] ? a[i] : b[i];
        K high = a[i] < b[i] ? b[i] : a[i];
        a[i] = low;
        b[i] = high;
    }
}

/* Batcher's merge exchange for any n (Knuth, TAOCP 5.2.2, algorithm M). */
static void FN(sort)(TILE *tile, int64_t n) {
    int64_t top = 1;
    while (2 * top < n)
        top *= 2;
    for (int64_t p = top; p > 0; p /= 2) {
        int64_t q = top, r = 0, d = p;
        for (;;) {
            for (int64_t i = 0; i < n - d; i++) {
                if ((i & p) == r)
                    FN(exchange)(tile[i], tile[i + d]);
            }
            if (q == p)
                break;
            d = q - p;
            q /= 2;
            r = p;
        }
    }
}

/* The longest run of each sorted lane; the first of equal length is the smallest value.
 */
static void FN(longest_run)(TILE *tile, int64_t n, K *best) {
    uint32_t run[NGFF_TILE_BYTES / sizeof(K)] = {0};
    uint32_t longest[NGFF_TILE_BYTES / sizeof(K)] = {0};
    memcpy(best, tile[0], sizeof tile[0]);
    for (int64_t j = 1; j < n; j++) {
        for (int i = 0; i < LANES; i++) {
            run[i] = tile[j][i] == tile[j - 1][i] ? run[i] + 1 : 0;
            best[i] = run[i] > longest[i] ? tile[j][i] : best[i];
            longest[i] = run[i] > longest[i] ? run[i] : longest[i];
        }
    }
}

static void FN(mode)(const ngff_block *b, void *dst, void *scratch) {
    ROW *out = dst;
    TILE *tile = scratch;
    int64_t n = b->rows * b->step;
    memset(tile, 0, (size_t)n * sizeof *tile);
    for (int64_t at = 0; at < b->count; at += LANES) {
        int64_t count = ngff_min_i64(LANES, b->count - at);
        K best[NGFF_TILE_BYTES / sizeof(K)];
        if (FN(gather)(b, at, count, tile)) {
            memcpy(best, tile[0], sizeof best);
        } else {
            FN(sort)(tile, n);
            FN(longest_run)(tile, n, best);
        }
        for (int64_t i = 0; i < count; i++)
            out[at + i] = UNKEY(best[i]);
    }
}

static void FN(median)(const ngff_block *b, void *dst, void *scratch) {
    ROW *out = dst;
    TILE *tile = scratch;
    int64_t n = b->rows * b->step;
    memset(tile, 0, (size_t)n * sizeof *tile);
    for (int64_t at = 0; at < b->count; at += LANES) {
        int64_t count = ngff_min_i64(LANES, b->count - at);
        if (!FN(gather)(b, at, count, tile))
            FN(sort)(tile, n);
        const K *low = tile[(n - 1) / 2], *high = tile[n / 2], *top = tile[n - 1];
        (void)top; /* only floats need it */
        for (int64_t i = 0; i < count; i++)
            out[at + i] = (T)MIDDLE(low[i], high[i], top[i]);
    }
}

#undef LANES
#undef TILE
