/* pyramid: methods that look at one block of source voxels per result. Walks the rows;
 * the kernels do the rest. */
#include "pyramid/reduce.h"

static size_t rows_per_block(const ngff_reduction *r) {
    size_t rows = 1;
    for (int i = 0; i + 1 < r->ndim; i++)
        rows *= (size_t)r->step[i];
    return rows;
}

/* Offsets and pointers of a block's rows; what sorting needs follows. */
size_t ngff_block_scratch(const ngff_reduction *r) {
    size_t rows = rows_per_block(r);
    return ngff_round_up_64(rows * sizeof(ptrdiff_t)) +
           ngff_round_up_64(rows * sizeof(void *));
}

static ngff_block_fn *kernel_of(const ngff_reduce_job *job) {
    switch (job->r->method) {
    case NGFF_METHOD_BIN_SHRINK:
        return job->kernels->mean;
    case NGFF_METHOD_MODE:
        return job->kernels->mode;
    case NGFF_METHOD_MEDIAN:
        return job->kernels->median;
    case NGFF_METHOD_MIN:
        return job->kernels->min;
    default:
        assert(job->r->method == NGFF_METHOD_MAX);
        return job->kernels->max;
    }
}

/* Byte offsets of a block's rows from its first, in C order. */
static void list_rows(const ngff_reduce_job *job, ptrdiff_t *offset) {
    ngff_box block = {.ndim = job->r->ndim};
    memcpy(block.shape, job->r->step, sizeof block.shape);
    block.shape[block.ndim - 1] = 1;
    int64_t at[NGFF_MAX_NDIM] = {0};
    size_t n = 0;
    do {
        offset[n] = 0;
        for (int i = 0; i + 1 < block.ndim; i++)
            offset[n] += (ptrdiff_t)(at[i] * job->src->strides[i]);
        n++;
    } while (ngff_box_next(&block, at));
}

void ngff_block_reduce(const ngff_reduce_job *job) {
    const ngff_reduction *r = job->r;
    int last = r->ndim - 1;
    size_t rows = rows_per_block(r);
    ptrdiff_t *offset = (ptrdiff_t *)(void *)job->scratch;
    const void **row =
        (const void **)(void *)(job->scratch + ngff_round_up_64(rows * sizeof *offset));
    void *tile = job->scratch + ngff_block_scratch(r);
    list_rows(job, offset);
    ngff_block block = {.row = row,
                        .rows = (int64_t)rows,
                        .step = r->step[last],
                        .count = job->dst_box->shape[last]};
    ngff_block_fn *kernel = kernel_of(job);
    ngff_box walk;
    int64_t at[NGFF_MAX_NDIM];
    ngff_reduce_rows(job, &walk, at);
    do {
        int64_t from[NGFF_MAX_NDIM];
        for (int i = 0; i <= last; i++)
            from[i] = at[i] * r->step[i];
        const char *first = ngff_reduce_source(job, from);
        for (size_t i = 0; i < rows; i++)
            row[i] = first + offset[i];
        kernel(&block, ngff_reduce_row(job, at), tile);
    } while (ngff_box_next(&walk, at));
}
