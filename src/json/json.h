/* json: a thin typed face on json-c. Depth (64) and size limits, 64-bit integers exact,
 * shortest round-trip doubles, member order kept. Strict by default: the bare
 * NaN/Infinity tokens that Python leaves are accepted only with NGFF_JSON_LENIENT, as are
 * half surrogate pairs (read as U+FFFD) and a byte order mark. Doubles keep their source
 * text. Duplicate members: the last wins when lenient, FORMAT when strict. Values are
 * trees owned by their root; one tree, one thread. */
#ifndef NGFF_JSON_JSON_H
#define NGFF_JSON_JSON_H

#include "base/base.h"

typedef struct ngff_json ngff_json; /* a node; never NULL except where said */

typedef enum ngff_json_type {
    NGFF_JSON_NULL = 0,
    NGFF_JSON_BOOL,
    NGFF_JSON_INT, /* written without fraction or exponent, and within int64 or uint64 */
    NGFF_JSON_DOUBLE,
    NGFF_JSON_STRING,
    NGFF_JSON_ARRAY,
    NGFF_JSON_OBJECT
} ngff_json_type;

enum { NGFF_JSON_STRICT = 0, NGFF_JSON_LENIENT = 1 };
#define NGFF_JSON_MAX_SIZE                                                               \
    ((size_t)64 << 20) /* bytes of one document (consolidated ones are large) */

/* Errors name line and column: "…: unexpected ',' at line 3:17". */
NGFF_MUST_USE ngff_status ngff_json_parse(const char *text, size_t size, int flags,
                                          ngff_json **out, ngff_error *err);
void ngff_json_close(ngff_json **root);
NGFF_MUST_USE ngff_status ngff_json_dup(const ngff_json *node, ngff_json **out,
                                        ngff_error *err);
bool ngff_json_equal(const ngff_json *a, const ngff_json *b);

ngff_json_type
ngff_json_type_of(const ngff_json *node); /* NULL pointer -> NGFF_JSON_NULL */
const ngff_json *ngff_json_get(const ngff_json *object,
                               const char *name); /* NULL: absent or not
                                                     an object */
const ngff_json *ngff_json_at(const ngff_json *array, size_t index);
size_t ngff_json_len(const ngff_json *array_or_object);
/* The i-th member of an object. */
const ngff_json *ngff_json_member(const ngff_json *object, size_t index,
                                  const char **name);
bool ngff_json_i64(const ngff_json *node, int64_t *out); /* integers in range only */
bool ngff_json_u64(const ngff_json *node, uint64_t *out);
bool ngff_json_f64(const ngff_json *node, double *out); /* ints too */
bool ngff_json_bool(const ngff_json *node, bool *out);
const char *
ngff_json_str(const ngff_json *node); /* NULL unless a string (no NUL inside) */

/* Building. Every "new" answers NULL when out of memory; "set"/"push" take ownership of
 * `value`, also on failure, and answer NOMEM for a NULL value, so building code checks
 * only at the end. */
ngff_json *ngff_json_new_object(void);
ngff_json *ngff_json_new_array(void);
ngff_json *ngff_json_new_null(void);
ngff_json *ngff_json_new_bool(bool v);
ngff_json *ngff_json_new_i64(int64_t v);
ngff_json *ngff_json_new_u64(uint64_t v);
ngff_json *ngff_json_new_f64(
    double v); /* must be finite: NaN/inf -> NULL; whole doubles print "2.0" */
ngff_json *ngff_json_new_str(const char *v);
NGFF_MUST_USE ngff_status ngff_json_set(ngff_json *object, const char *name,
                                        ngff_json *value);
NGFF_MUST_USE ngff_status ngff_json_push(ngff_json *array, ngff_json *value);
ngff_json *ngff_json_get_mutable(ngff_json *object, const char *name);
void ngff_json_remove(ngff_json *object, const char *name);
/* Valid JSON whatever the tree holds: broken UTF-8 becomes U+FFFD; NaN and infinities
 * (they come from lenient documents only) become the strings Zarr v3 has for them. indent
 * 0: one line; otherwise pretty with that many spaces, ending in a newline. */
NGFF_MUST_USE ngff_status ngff_json_print(const ngff_json *node, int indent,
                                          ngff_buf *out, ngff_error *err);
#endif
