/* pyramid: template of what works on rows of accumulators F, whatever the element type.
 * Parameters: F, NAME. */

#define TAP F
#define LOADF(x) (x)
#define BOTH(a, b, c) (((a) - (c)) + ((b) - (c)))
#define FILTER(name) CAT(CAT(again, name), NAME)
#include "pyramid/kernels_filter.h"

ALWAYS_INLINE void FN(split_by)(const F *row, int64_t step, int64_t n,
                                void *const *phase) {
    for (int64_t r = 0; r < step; r++) {
        F *restrict out = phase[r];
        for (int64_t i = 0; i < n; i++)
            out[i] = row[i * step + r];
    }
}

/* phase[r][i] = row[i * step + r] */
static void FN(split)(const void *row, int64_t step, int64_t n, void *const *phase) {
    if (step == 2)
        FN(split_by)(row, 2, n, phase);
    else if (step == 3)
        FN(split_by)(row, 3, n, phase);
    else if (step == 4)
        FN(split_by)(row, 4, n, phase);
    else
        FN(split_by)(row, step, n, phase);
}

#undef F
#undef LOADF
#undef NAME
