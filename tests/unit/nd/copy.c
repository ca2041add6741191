#include "support/cmocka.h"

#include "nd/nd.h"
#include "support/random.h"

#include <stdlib.h>

/* Views with random axis order, gaps, direction and alignment over memory of their own.
 */
typedef struct field {
    unsigned char *memory;
    size_t size;
    ngff_view view;
} field;

static field make_field(uint64_t *seed, ngff_dtype dtype, int ndim,
                        const int64_t *shape) {
    field f = {0};
    int order[NGFF_MAX_NDIM];
    int64_t stride = (int64_t)ngff_dtype_size(dtype), first = random_range(seed, 0, 3);
    for (int i = 0; i < ndim; i++)
        order[i] = i;
    if (random_range(seed, 0, 2) > 0) {
        for (int i = ndim - 1; i > 0; i--) {
            int j = (int)random_range(seed, 0, i), t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
    }
    f.view = (ngff_view){.dtype = (int32_t)dtype, .ndim = ndim};
    for (int k = ndim - 1; k >= 0; k--) {
        int axis = order[k];
        if (random_range(seed, 0, 3) == 0)
            stride += random_range(seed, 1, 9);
        bool back = random_range(seed, 0, 3) == 0;
        f.view.shape[axis] = shape[axis];
        f.view.strides[axis] = back ? -stride : stride;
        if (back && shape[axis] > 0)
            first += stride * (shape[axis] - 1);
        stride *= shape[axis] > 0 ? shape[axis] : 1;
    }
    f.size = (size_t)(stride + 3);
    f.memory = malloc(f.size);
    for (size_t i = 0; i < f.size; i++)
        f.memory[i] = (unsigned char)random_next(seed);
    f.view.data = f.memory + first;
    return f;
}

static char *address(const ngff_view *v, const int64_t *idx) {
    char *at = v->data;
    for (int i = 0; i < v->ndim; i++)
        at += idx[i] * v->strides[i];
    return at;
}

static void put_swapped(char *dst, const char *src, size_t size, size_t swap) {
    for (size_t i = 0; i < size; i++)
        dst[i] = src[i / swap * swap + swap - 1 - i % swap];
}

/* The naive twin: element by element, into a copy of the destination's memory, so that
 * bytes between the elements are checked to be left alone too. swap 1: plain. */
static void naive_copy(const field *dst, unsigned char *twin, const ngff_view *src,
                       size_t swap) {
    size_t size = ngff_dtype_size((ngff_dtype)src->dtype);
    ngff_box all = {.ndim = src->ndim};
    int64_t idx[NGFF_MAX_NDIM] = {0};
    memcpy(all.shape, src->shape, sizeof all.shape);
    if (ngff_box_is_empty(&all))
        return;
    do
        put_swapped((char *)twin + (address(&dst->view, idx) - (char *)dst->memory),
                    address(src, idx), size, swap);
    while (ngff_box_next(&all, idx));
}

static void random_shape(uint64_t *seed, int ndim, int64_t *shape) {
    for (int i = 0; i < ndim; i++)
        shape[i] =
            random_range(seed, 0, 9) == 0 ? 1 : random_range(seed, 0, ndim > 2 ? 9 : 70);
    if (random_range(seed, 0, 3) > 0) {
        for (int i = 0; i < ndim; i++)
            shape[i] += shape[i] == 0;
    }
}

static void copies_like_the_naive_twin(void **state) {
    (void)state;
    uint64_t seed = 2024;
    for (int round = 0; round < 1500; round++) {
        ngff_dtype dtype = (ngff_dtype)random_range(&seed, NGFF_BOOL, NGFF_COMPLEX128);
        int ndim = (int)random_range(&seed, 0, 5);
        int64_t shape[NGFF_MAX_NDIM];
        random_shape(&seed, ndim, shape);
        field dst = make_field(&seed, dtype, ndim, shape);
        field src = make_field(&seed, dtype, ndim, shape);
        if (ndim > 0 && random_range(&seed, 0, 9) == 0)
            src.view.strides[0] =
                0; /* one plane for all; the address of index 0 stays inside */
        unsigned char *twin = malloc(dst.size);
        memcpy(twin, dst.memory, dst.size);
        bool swapped = random_range(&seed, 0, 1);
        naive_copy(&dst, twin, &src.view, swapped ? ngff_dtype_swap_size(dtype) : 1);
        if (swapped)
            ngff_nd_copy_swapped(&dst.view, &src.view);
        else
            ngff_nd_copy(&dst.view, &src.view);
        assert_memory_equal(dst.memory, twin, dst.size);
        free(twin);
        free(dst.memory);
        free(src.memory);
    }
}

static void fills_and_recognises(void **state) {
    (void)state;
    uint64_t seed = 77;
    for (int round = 0; round < 800; round++) {
        ngff_dtype dtype = (ngff_dtype)random_range(&seed, NGFF_BOOL, NGFF_COMPLEX128);
        size_t size = ngff_dtype_size(dtype);
        int ndim = (int)random_range(&seed, 0, 4);
        int64_t shape[NGFF_MAX_NDIM], idx[NGFF_MAX_NDIM];
        char element[16];
        for (int i = 0; i < 16; i++)
            element[i] = (char)(round % 2 ? random_next(&seed) : 0x5a);
        random_shape(&seed, ndim, shape);
        field f = make_field(&seed, dtype, ndim, shape);
        unsigned char *twin = malloc(f.size);
        memcpy(twin, f.memory, f.size);
        ngff_view constant = {.data = element, .dtype = (int32_t)dtype, .ndim = ndim};
        memcpy(constant.shape, f.view.shape, sizeof constant.shape);
        naive_copy(&f, twin, &constant, 1);
        ngff_nd_fill(&f.view, element);
        assert_memory_equal(f.memory, twin, f.size);
        assert_true(ngff_nd_is_fill(&f.view, element));
        bool empty = false;
        for (int i = 0; i < ndim; i++) {
            empty = empty || shape[i] == 0;
            idx[i] = shape[i] ? random_range(&seed, 0, shape[i] - 1) : 0;
        }
        if (!empty) {
            address(&f.view, idx)[random_range(&seed, 0, (int64_t)size - 1)] ^= 1;
            assert_false(ngff_nd_is_fill(&f.view, element));
        }
        free(twin);
        free(f.memory);
    }
}

static void fill_compares_bits(void **state) {
    (void)state;
    double minus[3] = {0.0, 0.0, -0.0}, zero = 0.0;
    ngff_view v;
    ngff_view_init(&v, minus, NGFF_FLOAT64, 1, (int64_t[]){3});
    assert_false(ngff_nd_is_fill(&v, &zero));
    v.shape[0] = 2;
    assert_true(ngff_nd_is_fill(&v, &zero));
}

static void swaps_in_place(void **state) {
    (void)state;
    for (size_t swap = 1; swap <= 8; swap *= 2) {
        for (size_t count = 0; count < 40; count++) {
            unsigned char data[1 + 320], want[1 + 320];
            for (size_t i = 0; i < sizeof data; i++)
                data[i] = (unsigned char)(i * 7 + 1);
            memcpy(want, data, sizeof want);
            put_swapped((char *)want + 1, (char *)data + 1, count * swap, swap);
            ngff_nd_swap_packed(data + 1, count, swap);
            assert_memory_equal(data, want, sizeof data);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_like_the_naive_twin),
        cmocka_unit_test(fills_and_recognises),
        cmocka_unit_test(fill_compares_bits),
        cmocka_unit_test(swaps_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
