/* pyramid: template of mode and median. A tile holds LANES blocks side by side, value j
 * of every block in tile[j][...]; comparing and exchanging whole lanes sorts them all at
 * once, and a tile of uniform blocks (most of a label image) is not sorted at all. */
#define LANES ((int)(NGFF_TILE_BYTES / sizeof(K)))
typedef K CAT(lanes, NAME)[NGFF_TILE_BYTES / sizeof(K)];
#define TILE CAT(lanes, NAME)
/* A tile's lanes stay a loop: unrolled before it is vectorised, it would end up scalar.
 */
#define EACH_LANE                                                                        \
    ROLLED                                                                               \
    for (int i = 0; i < LANES; i++)

ALWAYS_INLINE void FN(pick)(const ROW *row, int64_t step, int64_t count,
                            K *restrict lane) {
    ROLLED
    for (int64_t i = 0; i < count; i++)
        lane[i] = RAW(row[i * step]);
}

/* Fills the tile with the raw bits of the blocks from `at` on; true when each holds one
 * value only. */
static bool FN(gather)(const ngff_block *b, int64_t at, int64_t count, TILE *tile) {
    if (count < LANES)
        memset(tile, 0, (size_t)(b->rows * b->step) * sizeof *tile);
    int64_t j = 0;
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t p = 0; p < b->step; p++, j++) {
            const ROW *row = (const ROW *)b->row[r] + at * b->step + p;
            if (b->step == 2 && count == LANES)
                FN(pick)(row, 2, LANES, tile[j]);
            else if (b->step == 4 && count == LANES)
                FN(pick)(row, 4, LANES, tile[j]);
            else
                FN(pick)(row, b->step, count, tile[j]);
        }
    }
    TILE differs = {0};
    for (int64_t k = 1; k < j; k++) {
        EACH_LANE
        differs[i] |= tile[k][i] ^ tile[0][i];
    }
    uint64_t any = 0, word;
    for (size_t w = 0; w < sizeof differs; w += sizeof word) {
        memcpy(&word, (const char *)differs + w, sizeof word);
        any |= word;
    }
    return any == 0;
}

ALWAYS_INLINE void FN(exchange)(K *restrict a, K *restrict b) {
    EACH_LANE {
        K low = a[i] < b[i] ? a[i] : b[i];
        K high = a[i] < b[i] ? b[i] : a[i];
        a[i] = low;
        b[i] = high;
    }
}

#if FLOAT_KEYS
static void FN(to_keys)(TILE *tile, int64_t n) {
    for (int64_t j = 0; j < n; j++) {
        K *restrict lane = tile[j];
        EACH_LANE
        lane[i] = FN(key0)(lane[i]);
    }
}
#define SORTABLE(tile, n) FN(to_keys)(tile, n)
#else
#define SORTABLE(tile, n) (void)(tile)
#endif

/* Batcher's merge exchange for any n (Knuth, TAOCP 5.2.2, algorithm M). */
static void FN(sort_any)(TILE *tile, int64_t n) {
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

/* The same network for 2 x 2 x 2 and 2 x 2 blocks, held in registers. */
#define ORDER(a, b)                                                                      \
    (low = v##a < v##b ? v##a : v##b, v##b = v##a < v##b ? v##b : v##a, v##a = low)

static void FN(sort_8)(TILE *tile) {
    EACH_LANE {
        K v0 = tile[0][i], v1 = tile[1][i], v2 = tile[2][i], v3 = tile[3][i];
        K v4 = tile[4][i], v5 = tile[5][i], v6 = tile[6][i], v7 = tile[7][i];
        K low;
        ORDER(0, 1), ORDER(2, 3), ORDER(4, 5), ORDER(6, 7);
        ORDER(0, 2), ORDER(1, 3), ORDER(4, 6), ORDER(5, 7), ORDER(1, 2), ORDER(5, 6);
        ORDER(0, 4), ORDER(1, 5), ORDER(2, 6), ORDER(3, 7), ORDER(2, 4), ORDER(3, 5);
        ORDER(1, 2), ORDER(3, 4), ORDER(5, 6);
        tile[0][i] = v0, tile[1][i] = v1, tile[2][i] = v2, tile[3][i] = v3;
        tile[4][i] = v4, tile[5][i] = v5, tile[6][i] = v6, tile[7][i] = v7;
    }
}

static void FN(sort_4)(TILE *tile) {
    EACH_LANE {
        K v0 = tile[0][i], v1 = tile[1][i], v2 = tile[2][i], v3 = tile[3][i];
        K low;
        ORDER(0, 1), ORDER(2, 3), ORDER(0, 2), ORDER(1, 3), ORDER(1, 2);
        tile[0][i] = v0, tile[1][i] = v1, tile[2][i] = v2, tile[3][i] = v3;
    }
}

static void FN(sort)(TILE *tile, int64_t n) {
    SORTABLE(tile, n); /* bits to keys */
    if (n == 8)
        FN(sort_8)(tile);
    else if (n == 4)
        FN(sort_4)(tile);
    else
        FN(sort_any)(tile, n);
}

/* Signed and as wide as K: comparing unsigned lanes is dear. */
#define SIGNED                                                                           \
    __typeof__(__builtin_choose_expr(                                                    \
        sizeof(K) == 1, (int8_t)0,                                                       \
        __builtin_choose_expr(                                                           \
            sizeof(K) == 2, (int16_t)0,                                                  \
            __builtin_choose_expr(sizeof(K) == 4, (int32_t)0, (int64_t)0))))

/* The longest run of each sorted lane; the first of equal length is the smallest value.
 * RUN counts up to n - 1. */
#define LONGEST_RUN(RUN)                                                                 \
    RUN run[NGFF_TILE_BYTES / sizeof(K)] = {0};                                          \
    RUN longest[NGFF_TILE_BYTES / sizeof(K)] = {0};                                      \
    memcpy(best, tile[0], sizeof tile[0]);                                               \
    for (int64_t j = 1; j < n; j++) {                                                    \
        const K *restrict here = tile[j], *restrict before = tile[j - 1];                \
        EACH_LANE {                                                                      \
            RUN now = (RUN)(here[i] == before[i] ? run[i] + 1 : 0);                      \
            best[i] = now > longest[i] ? here[i] : best[i];                              \
            longest[i] = now > longest[i] ? now : longest[i];                            \
            run[i] = now;                                                                \
        }                                                                                \
    }

static void FN(longest_run)(TILE *tile, int64_t n, K *restrict best) {
    LONGEST_RUN(SIGNED)
}

static void FN(longest_run_of_many)(TILE *tile, int64_t n, K *restrict best) {
    LONGEST_RUN(uint32_t)
}

static void FN(mode_tile)(const ngff_block *b, int64_t at, int64_t count, TILE *tile,
                          ROW *out) {
    int64_t n = b->rows * b->step;
    TILE best;
    if (FN(gather)(b, at, count, tile)) {
        SORTABLE(tile, 1);
        memcpy(best, tile[0], sizeof best);
    } else {
        FN(sort)(tile, n);
        if (n < 128)
            FN(longest_run)(tile, n, best);
        else
            FN(longest_run_of_many)(tile, n, best);
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = UNKEY(best[i]);
}

static void FN(median_tile)(const ngff_block *b, int64_t at, int64_t count, TILE *tile,
                            ROW *out) {
    int64_t n = b->rows * b->step;
    if (FN(gather)(b, at, count, tile))
        SORTABLE(tile, n);
    else
        FN(sort)(tile, n);
    const K *low = tile[(n - 1) / 2], *high = tile[n / 2], *top = tile[n - 1];
    (void)top; /* only floats need it */
    for (int64_t i = 0; i < count; i++)
        out[i] = (T)MIDDLE(low[i], high[i], top[i]);
}

/* The last tile may overlap the one before: full tiles are faster than partial ones. */
static int64_t FN(tile_start)(const ngff_block *b, int64_t at) {
    return b->count - at < LANES && b->count >= LANES ? b->count - LANES : at;
}

static void FN(mode)(const ngff_block *b, void *dst, void *tile) {
    for (int64_t next = 0; next < b->count; next += LANES) {
        int64_t at = FN(tile_start)(b, next);
        FN(mode_tile)(b, at, ngff_min_i64(LANES, b->count - at), tile, (ROW *)dst + at);
    }
}

static void FN(median)(const ngff_block *b, void *dst, void *tile) {
    for (int64_t next = 0; next < b->count; next += LANES) {
        int64_t at = FN(tile_start)(b, next);
        FN(median_tile)(b, at, ngff_min_i64(LANES, b->count - at), tile, (ROW *)dst + at);
    }
}

#undef LANES
#undef TILE
#undef EACH_LANE
#undef ORDER
#undef LONGEST_RUN
#undef SIGNED
#undef SORTABLE
