/* pyramid: one voxel of level 0 per result, pixels.md 7. Copies bits, so that it serves
 * every element type. */
#include "pyramid/reduce.h"

#define PICK(T)                                                                          \
    static void pick_##T(const char *src, int64_t step, int64_t count, char *dst) {      \
        for (int64_t i = 0; i < count; i++)                                              \
            memcpy(dst + (size_t)i * sizeof(T), src + (size_t)(i * step) * sizeof(T),    \
                   sizeof(T));                                                           \
    }
PICK(uint8_t)
PICK(uint16_t)
PICK(uint32_t)
PICK(uint64_t)

static void pick(const char *src, int64_t step, int64_t count, char *dst, size_t size) {
    if (step == 1)
        memcpy(dst, src, (size_t)count * size);
    else if (size == 1)
        pick_uint8_t(src, step, count, dst);
    else if (size == 2)
        pick_uint16_t(src, step, count, dst);
    else if (size == 4)
        pick_uint32_t(src, step, count, dst);
    else
        pick_uint64_t(src, step, count, dst);
}

void ngff_nearest_reduce(const ngff_reduce_job *job) {
    const ngff_reduction *r = job->r;
    int last = r->ndim - 1;
    size_t size = ngff_dtype_size(r->dtype);
    ngff_box walk;
    int64_t at[NGFF_MAX_NDIM];
    ngff_reduce_rows(job, &walk, at);
    do {
        int64_t from[NGFF_MAX_NDIM];
        for (int i = 0; i <= last; i++)
            from[i] = at[i] * r->step[i] + (r->step[i] - 1) / 2;
        pick(ngff_reduce_source(job, from), r->step[last], job->dst_box->shape[last],
             ngff_reduce_row(job, at), size);
    } while (ngff_box_next(&walk, at));
}
