/* source: stored numbers to values, slope and intercept applied, as float64. */
#include "source/kinds.h"

#define ROW(type)                                                                        \
    for (int64_t i = 0; i < n; i++) {                                                    \
        type v;                                                                          \
        memcpy(&v, from + i * stride, sizeof v);                                         \
        double d = (double)v;                                                            \
        d = multiply ? d * l->slope : d;                                                 \
        d = add ? d + l->inter : d;                                                      \
        memcpy(to + i * step, &d, sizeof d);                                             \
    }                                                                                    \
    break

/* A slope of 1 and an intercept of 0 are left out: they could still change -0.0 and NaN.
 */
static void scale_row(const ngff_source_layout *l, char *to, int64_t step,
                      const char *from, int64_t stride, int64_t n) {
    bool multiply = l->slope != 1.0;
    bool add = l->inter != 0.0;
    switch (l->dtype) {
    case NGFF_INT8:
        ROW(int8_t);
    case NGFF_INT16:
        ROW(int16_t);
    case NGFF_INT32:
        ROW(int32_t);
    case NGFF_INT64:
        ROW(int64_t);
    case NGFF_UINT8:
        ROW(uint8_t);
    case NGFF_UINT16:
        ROW(uint16_t);
    case NGFF_UINT32:
        ROW(uint32_t);
    case NGFF_UINT64:
        ROW(uint64_t);
    case NGFF_FLOAT32:
        ROW(float);
    case NGFF_FLOAT64:
        ROW(double);
    default:
        assert(!"a type that is never scaled");
    }
}

void ngff_source_scale(const ngff_source_layout *l, const ngff_view *to,
                       const ngff_view *from, int64_t size) {
    int64_t idx[NGFF_MAX_NDIM] = {0};
    int last = from->ndim - 1;
    if (l->swap) {
        size_t swap = ngff_dtype_swap_size(l->dtype);
        ngff_nd_swap_packed(from->data, (size_t)size / swap, swap);
    }
    for (;;) {
        const char *source = from->data;
        char *target = to->data;
        for (int i = 0; i < last; i++) {
            source += idx[i] * from->strides[i];
            target += idx[i] * to->strides[i];
        }
        scale_row(l, target, to->strides[last], source, from->strides[last],
                  from->shape[last]);
        int i = last - 1;
        while (i >= 0 && ++idx[i] == from->shape[i])
            idx[i--] = 0;
        if (i < 0)
            return;
    }
}
