/* pyramid: the row kernels for x86 processors with AVX2; this file alone is compiled for
 * them. */
#define NGFF_KERNEL_SET ngff_kernels_avx2
#define NGFF_KERNEL_NAME "avx2"
#include "pyramid/kernels_impl.h"
