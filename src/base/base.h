/* base: what C lacks. Knows no operating system and no format. Owns nothing global.
 * Everything here may be called from any thread. Implements: errors without a heap, the
 * allocator, growing bytes with a ceiling, checked arithmetic. */
#ifndef NGFF_BASE_BASE_H
#define NGFF_BASE_BASE_H

#include <assert.h>
#include <ngff/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define NGFF_MUST_USE __attribute__((warn_unused_result))
#define NGFF_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* ---- errors
 * ---------------------------------------------------------------------------- */

/* Forward a failure. */
#define NGFF_TRY(call)                                                                   \
    do {                                                                                 \
        ngff_status try_status_ = (call);                                                \
        if (try_status_ != NGFF_OK)                                                      \
            return try_status_;                                                          \
    } while (0)

/* Write the sentence, once, at the lowest level. Returns `status` so that
 * `return ngff_fail(err, NGFF_FORMAT, "...")` reads as one thing. A message already there
 * is kept. */
ngff_status ngff_fail(ngff_error *err, ngff_status status, const char *fmt, ...)
    NGFF_PRINTF(3, 4);
/* Prefix the place: "place: old message". Returns the error's status as given in
 * `status`. */
ngff_status ngff_fail_at(ngff_error *err, ngff_status status, const char *fmt, ...)
    NGFF_PRINTF(3, 4);
/* Mark which side failed, unless marked before. */
ngff_status ngff_fail_origin(ngff_error *err, ngff_status status, ngff_origin origin);
void ngff_error_clear(ngff_error *err);
const char *ngff_status_name(ngff_status status); /* "INVALID", … */

/* ---- allocator
 * ------------------------------------------------------------------------- */

/* NULL stands for the C library's. Blocks are aligned for any type. */
typedef struct ngff_allocator {
    void *(*alloc)(void *user, size_t size);
    void (*release)(void *user, void *block);
    void *user;
} ngff_allocator;

void *ngff_alloc(const ngff_allocator *a,
                 size_t size); /* NULL on failure; size 0 -> 1 byte */
void *ngff_calloc(const ngff_allocator *a, size_t count,
                  size_t size);                                 /* checked, zeroed */
void *ngff_alloc_aligned(const ngff_allocator *a, size_t size); /* to 64 bytes at least */
void *ngff_realloc(const ngff_allocator *a, void *block, size_t old_size, size_t size);
void ngff_free(const ngff_allocator *a, void *block);
void ngff_free_aligned(const ngff_allocator *a, void *block);
char *ngff_strdup(const ngff_allocator *a, const char *s);
/* Says "out of memory: %s needs N bytes". */
ngff_status ngff_fail_nomem(ngff_error *err, const char *what, size_t size);

/* ---- growing bytes
 * --------------------------------------------------------------------- */

/* Text or bytes that grow up to `ceiling`; NUL-terminated after every append. */
typedef struct ngff_buf {
    const ngff_allocator *alloc;
    char *data;
    size_t size;
    size_t capacity;
    size_t ceiling;
} ngff_buf;

void ngff_buf_init(ngff_buf *buf, const ngff_allocator *a, size_t ceiling);
void ngff_buf_reset(ngff_buf *buf); /* frees */
NGFF_MUST_USE ngff_status ngff_buf_reserve(ngff_buf *buf, size_t extra, ngff_error *err);
NGFF_MUST_USE ngff_status ngff_buf_append(ngff_buf *buf, const void *data, size_t size,
                                          ngff_error *err);
NGFF_MUST_USE ngff_status ngff_buf_printf(ngff_buf *buf, ngff_error *err, const char *fmt,
                                          ...) NGFF_PRINTF(3, 4);

/* ---- checked arithmetic
 * ---------------------------------------------------------------- */

static inline bool ngff_mul_size(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool ngff_add_size(size_t a, size_t b, size_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline bool ngff_mul_i64(int64_t a, int64_t b, int64_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool ngff_add_i64(int64_t a, int64_t b, int64_t *out) {
    return !__builtin_add_overflow(a, b, out);
}
static inline int64_t ngff_min_i64(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t ngff_max_i64(int64_t a, int64_t b) {
    return a > b ? a : b;
}
static inline int64_t ngff_ceil_div(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
} /* a >= 0, b > 0 */

/* ---- bytes and text
 * -------------------------------------------------------------------- */

/* memcpy for bytes that nobody will look at soon: past the caches, where that is known
 * and worth while. The ranges do not overlap. */
void ngff_copy_aside(void *dst, const void *src, size_t size);
uint16_t ngff_load_u16le(const void *p);
uint32_t ngff_load_u32le(const void *p);
uint64_t ngff_load_u64le(const void *p);
uint16_t ngff_load_u16be(const void *p);
uint32_t ngff_load_u32be(const void *p);
uint64_t ngff_load_u64be(const void *p);
void ngff_store_u16le(void *p, uint16_t v);
void ngff_store_u32le(void *p, uint32_t v);
void ngff_store_u64le(void *p, uint64_t v);
bool ngff_host_is_little(void);
bool ngff_starts_with(const char *s, const char *prefix);
bool ngff_ends_with(const char *s, const char *suffix);
/* Copies with truncation, always terminates. Returns false when cut. */
bool ngff_copy_text(char *dst, size_t dst_size, const char *src);
/* UTF-8 (RFC 3629). step: bytes of the character at `s`, 0 when it is broken or size is
 * 0. is_cut: what is there is the beginning of a character and only its end is missing.
 */
size_t ngff_utf8_step(const char *s, size_t size);
bool ngff_utf8_is_cut(const char *s, size_t size);
bool ngff_utf8_valid(const char *s, size_t size);
/* Strict decimal numbers that fill the whole string, independent of the locale. No
 * blanks, no "nan"/"inf", no hexadecimal; out of range is false. */
bool ngff_parse_i64(const char *s, int64_t *out);
bool ngff_parse_f64(const char *s, double *out);
/* Shortest text that reads back as the same double; "NaN"/"Infinity"/"-Infinity" for the
 * rest. `out` holds at least 32 bytes. Integers print without a fraction ".0" being
 * required. */
void ngff_format_f64(double v, char *out, size_t out_size);

#endif
