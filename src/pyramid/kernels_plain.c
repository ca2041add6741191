/* pyramid: the row kernels for whatever the whole library is compiled for. */
#define NGFF_KERNEL_SET ngff_kernels_plain
#define NGFF_KERNEL_NAME "plain"
#include "pyramid/kernels_impl.h"
