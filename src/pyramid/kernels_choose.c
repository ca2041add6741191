/* pyramid: which set of row kernels this processor runs. */
#include "pyramid/kernels.h"
#include <stdatomic.h>

static atomic_bool plain_forced;

void ngff_pyramid_force_plain(bool on) {
    atomic_store(&plain_forced, on);
}

const ngff_kernels *ngff_kernels_chosen(void) {
#ifdef NGFF_PYRAMID_AVX2
    if (!atomic_load(&plain_forced) && __builtin_cpu_supports("avx2"))
        return &ngff_kernels_avx2;
#endif
    return &ngff_kernels_plain;
}
