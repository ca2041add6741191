/* json: looking into a tree. */
#include "json/inside.h"

#include <json-c/json_object_iterator.h>
#include <json-c/linkhash.h>
#include <math.h>

/* Stands for null; only its address is ever used. */
static char null_mark;

json_object *ngff_json_to_c(const ngff_json *node) {
    if ((const void *)node == &null_mark)
        return NULL;
    return (json_object *)(uintptr_t)node;
}

ngff_json *ngff_json_from_c(json_object *object) {
    return object ? (ngff_json *)object : (ngff_json *)&null_mark;
}

void ngff_json_close(ngff_json **root) {
    if (!root || !*root)
        return;
    json_object_put(ngff_json_to_c(*root));
    *root = NULL;
}

ngff_json_type ngff_json_type_of(const ngff_json *node) {
    switch (json_object_get_type(ngff_json_to_c(node))) {
    case json_type_boolean:
        return NGFF_JSON_BOOL;
    case json_type_int:
        return NGFF_JSON_INT;
    case json_type_double:
        return NGFF_JSON_DOUBLE;
    case json_type_string:
        return NGFF_JSON_STRING;
    case json_type_array:
        return NGFF_JSON_ARRAY;
    case json_type_object:
        return NGFF_JSON_OBJECT;
    default:
        return NGFF_JSON_NULL;
    }
}

static json_object *of_type(const ngff_json *node, json_type type) {
    json_object *object = ngff_json_to_c(node);
    return json_object_is_type(object, type) ? object : NULL;
}

ngff_json *ngff_json_get_mutable(ngff_json *object, const char *name) {
    json_object *o = of_type(object, json_type_object);
    json_object *value;
    if (!o || !json_object_object_get_ex(o, name, &value))
        return NULL;
    return ngff_json_from_c(value);
}

const ngff_json *ngff_json_get(const ngff_json *object, const char *name) {
    return ngff_json_get_mutable((ngff_json *)(uintptr_t)object, name);
}

const ngff_json *ngff_json_at(const ngff_json *array, size_t index) {
    json_object *a = of_type(array, json_type_array);
    if (!a || index >= json_object_array_length(a))
        return NULL;
    return ngff_json_from_c(json_object_array_get_idx(a, index));
}

size_t ngff_json_len(const ngff_json *array_or_object) {
    json_object *o = ngff_json_to_c(array_or_object);
    if (json_object_is_type(o, json_type_array))
        return json_object_array_length(o);
    if (json_object_is_type(o, json_type_object))
        return (size_t)json_object_object_length(o);
    return 0;
}

/* ---- members by number
 * ----------------------------------------------------------------- */

/* Members are a linked list, and callers ask for 0, 1, 2, …: large objects remember the
 * place of the last answer so that such a loop stays linear. */
typedef struct cursor {
    size_t index;
    struct lh_entry *entry; /* NULL: forgotten */
} cursor;

enum { CURSOR_FROM = 16 };

static void free_cursor(json_object *object, void *userdata) {
    (void)object;
    ngff_free(NULL, userdata);
}

void ngff_json_forget_cursor(json_object *object) {
    cursor *c = json_object_get_userdata(object);
    if (c)
        c->entry = NULL;
}

static cursor *cursor_of(json_object *object) {
    cursor *c = json_object_get_userdata(object);
    if (!c && (c = ngff_calloc(NULL, 1, sizeof *c)))
        json_object_set_userdata(object, c, free_cursor);
    return c;
}

static struct lh_entry *entry_at(json_object *object, size_t index) {
    cursor *c = index >= CURSOR_FROM ? cursor_of(object) : NULL;
    struct lh_entry *entry = json_object_get_object(object)->head;
    size_t at = 0;
    if (c && c->entry && c->index <= index) {
        entry = c->entry;
        at = c->index;
    }
    for (; entry && at < index; at++)
        entry = entry->next;
    if (c)
        *c = (cursor){index, entry};
    return entry;
}

const ngff_json *ngff_json_member(const ngff_json *object, size_t index,
                                  const char **name) {
    json_object *o = of_type(object, json_type_object);
    *name = NULL;
    if (!o || index >= (size_t)json_object_object_length(o))
        return NULL;
    const struct lh_entry *entry = entry_at(o, index);
    *name = entry->k;
    return ngff_json_from_c((json_object *)(uintptr_t)entry->v);
}

/* ---- values
 * ---------------------------------------------------------------------------- */

bool ngff_json_u64(const ngff_json *node, uint64_t *out) {
    json_object *o = of_type(node, json_type_int);
    if (!o || json_object_get_int64(o) < 0)
        return false;
    *out = json_object_get_uint64(o);
    return true;
}

bool ngff_json_i64(const ngff_json *node, int64_t *out) {
    uint64_t u;
    json_object *o = of_type(node, json_type_int);
    if (!o || (ngff_json_u64(node, &u) && u > INT64_MAX))
        return false;
    *out = json_object_get_int64(o);
    return true;
}

bool ngff_json_f64(const ngff_json *node, double *out) {
    json_object *o = ngff_json_to_c(node);
    uint64_t u;
    if (json_object_is_type(o, json_type_double))
        *out = json_object_get_double(o);
    else if (ngff_json_u64(node, &u))
        *out = (double)u;
    else if (json_object_is_type(o, json_type_int))
        *out = (double)json_object_get_int64(o);
    else
        return false;
    return true;
}

bool ngff_json_bool(const ngff_json *node, bool *out) {
    json_object *o = of_type(node, json_type_boolean);
    if (!o)
        return false;
    *out = json_object_get_boolean(o) != 0;
    return true;
}

const char *ngff_json_str(const ngff_json *node) {
    json_object *o = of_type(node, json_type_string);
    if (!o)
        return NULL;
    const char *text = json_object_get_string(o);
    return strlen(text) == (size_t)json_object_get_string_len(o) ? text : NULL;
}

bool ngff_json_equal(const ngff_json *a, const ngff_json *b) {
    return json_object_equal(ngff_json_to_c(a), ngff_json_to_c(b)) != 0;
}
