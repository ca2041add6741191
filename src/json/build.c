/* json: making and changing trees. */
#include "json/inside.h"

#include <math.h>

static ngff_json *made(json_object *object) {
    return object ? ngff_json_from_c(object) : NULL;
}

ngff_json *ngff_json_new_object(void) {
    return made(json_object_new_object());
}

ngff_json *ngff_json_new_array(void) {
    return made(json_object_new_array());
}

ngff_json *ngff_json_new_null(void) {
    return ngff_json_from_c(NULL);
}

ngff_json *ngff_json_new_bool(bool v) {
    return made(json_object_new_boolean(v));
}

ngff_json *ngff_json_new_i64(int64_t v) {
    return made(json_object_new_int64(v));
}

ngff_json *ngff_json_new_u64(uint64_t v) {
    return made(v > INT64_MAX ? json_object_new_uint64(v)
                              : json_object_new_int64((int64_t)v));
}

json_object *ngff_json_double_with_text(double value, const char *text) {
    return json_object_new_double_s(value, text);
}

ngff_json *ngff_json_new_f64(double v) {
    char text[40];
    if (!isfinite(v))
        return NULL;
    ngff_format_f64(v, text, sizeof text - 2);
    /* "2" would be read back as an integer. */
    if (!strpbrk(text, ".e")) {
        size_t len = strlen(text);
        memcpy(text + len, ".0", 3);
    }
    return made(ngff_json_double_with_text(v, text));
}

ngff_json *ngff_json_new_str(const char *v) {
    return made(json_object_new_string(v));
}

/* The owner of `value` from here on, whatever happens. */
static ngff_status refuse(ngff_status status, ngff_json *value) {
    ngff_json_close(&value);
    return status;
}

ngff_status ngff_json_set(ngff_json *object, const char *name, ngff_json *value) {
    if (!object || !value)
        return refuse(NGFF_NOMEM, value);
    json_object *o = ngff_json_to_c(object);
    if (!json_object_is_type(o, json_type_object))
        return refuse(NGFF_INVALID, value);
    ngff_json_forget_cursor(o);
    if (json_object_object_add(o, name, ngff_json_to_c(value)) != 0)
        return refuse(NGFF_NOMEM, value);
    return NGFF_OK;
}

ngff_status ngff_json_push(ngff_json *array, ngff_json *value) {
    if (!array || !value)
        return refuse(NGFF_NOMEM, value);
    json_object *a = ngff_json_to_c(array);
    if (!json_object_is_type(a, json_type_array))
        return refuse(NGFF_INVALID, value);
    if (json_object_array_add(a, ngff_json_to_c(value)) != 0)
        return refuse(NGFF_NOMEM, value);
    return NGFF_OK;
}

void ngff_json_remove(ngff_json *object, const char *name) {
    json_object *o = ngff_json_to_c(object);
    if (!json_object_is_type(o, json_type_object))
        return;
    ngff_json_forget_cursor(o);
    json_object_object_del(o, name);
}

/* json-c would try to copy what we keep beside an object (the cursor); 2 tells it not to.
 */
static int copy_node(json_object *src, json_object *parent, const char *key, size_t index,
                     json_object **dst) {
    int answer = json_c_shallow_copy_default(src, parent, key, index, dst);
    return answer == 1 && json_object_is_type(src, json_type_object) ? 2 : answer;
}

ngff_status ngff_json_dup(const ngff_json *node, ngff_json **out, ngff_error *err) {
    json_object *src = ngff_json_to_c(node);
    json_object *copy = NULL;
    *out = NULL;
    if (src && json_object_deep_copy(src, &copy, copy_node) != 0)
        return ngff_fail(err, NGFF_NOMEM, "out of memory: copying a JSON document");
    *out = ngff_json_from_c(copy);
    return NGFF_OK;
}
