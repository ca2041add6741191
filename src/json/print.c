/* json: tree to text. Always valid JSON: broken UTF-8 becomes U+FFFD, and the numbers
 * that JSON lacks are written as the strings that Zarr v3 uses for them ("NaN",
 * "Infinity", "-Infinity"). */
#include "json/inside.h"

#include <math.h>
#include <stdio.h>

/* Far above what can be parsed; a guard for trees made by hand. */
#define DEPTH_MAX 256

typedef struct printer {
    ngff_buf *out;
    int indent;
    ngff_error *err;
} printer;

static ngff_status put(printer *p, const char *text, size_t size) {
    return ngff_buf_append(p->out, text, size, p->err);
}

static ngff_status put_line(printer *p, int depth) {
    static const char blanks[] = "                                ";
    size_t left = (size_t)p->indent * (size_t)depth;
    if (p->indent == 0)
        return NGFF_OK;
    NGFF_TRY(put(p, "\n", 1));
    while (left > 0) {
        size_t step = left < sizeof blanks - 1 ? left : sizeof blanks - 1;
        NGFF_TRY(put(p, blanks, step));
        left -= step;
    }
    return NGFF_OK;
}

static ngff_status put_escape(printer *p, unsigned char c) {
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    char text[8];
    const char *found = c ? strchr(from, c) : NULL;
    int n = found ? snprintf(text, sizeof text, "\\%c", to[found - from])
                  : snprintf(text, sizeof text, "\\u%04x", c);
    return put(p, text, (size_t)n);
}

static ngff_status put_string(printer *p, const char *s, size_t size) {
    size_t from = 0;
    size_t at = 0;
    NGFF_TRY(put(p, "\"", 1));
    while (at < size) {
        unsigned char c = (unsigned char)s[at];
        size_t step = c < 0x80 ? 1 : ngff_utf8_step(s + at, size - at);
        if (step > 0 && c >= 0x20 && c != '"' && c != '\\') {
            at += step;
            continue;
        }
        NGFF_TRY(put(p, s + from, at - from));
        NGFF_TRY(step ? put_escape(p, c) : put(p, "\\ufffd", 6));
        from = ++at;
    }
    NGFF_TRY(put(p, s + from, at - from));
    return put(p, "\"", 1);
}

static ngff_status put_double(printer *p, json_object *o) {
    char text[32];
    double v = json_object_get_double(o);
    if (isfinite(v)) {
        /* Every double of ours carries its text. */
        const char *kept = json_object_get_userdata(o);
        assert(kept);
        return put(p, kept, strlen(kept));
    }
    ngff_format_f64(v, text, sizeof text);
    return put_string(p, text, strlen(text));
}

static bool is_flat(const ngff_json *array) {
    for (size_t i = 0; i < ngff_json_len(array); i++) {
        ngff_json_type type = ngff_json_type_of(ngff_json_at(array, i));
        if (type == NGFF_JSON_ARRAY || type == NGFF_JSON_OBJECT)
            return false;
    }
    return true;
}

static ngff_status put_value(printer *p, const ngff_json *node, int depth);

/* Arrays of plain values stay on one line: shapes and chunks read better so. */
static ngff_status put_array(printer *p, const ngff_json *array, int depth) {
    size_t count = ngff_json_len(array);
    bool flat = is_flat(array);
    NGFF_TRY(put(p, "[", 1));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            NGFF_TRY(put(p, ", ", flat && p->indent ? 2 : 1));
        if (!flat)
            NGFF_TRY(put_line(p, depth + 1));
        NGFF_TRY(put_value(p, ngff_json_at(array, i), depth + 1));
    }
    if (!flat)
        NGFF_TRY(put_line(p, depth));
    return put(p, "]", 1);
}

static ngff_status put_object(printer *p, const ngff_json *object, int depth) {
    size_t count = ngff_json_len(object);
    NGFF_TRY(put(p, "{", 1));
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const ngff_json *value = ngff_json_member(object, i, &name);
        if (i > 0)
            NGFF_TRY(put(p, ",", 1));
        NGFF_TRY(put_line(p, depth + 1));
        NGFF_TRY(put_string(p, name, strlen(name)));
        NGFF_TRY(put(p, ": ", p->indent ? 2 : 1));
        NGFF_TRY(put_value(p, value, depth + 1));
    }
    if (count > 0)
        NGFF_TRY(put_line(p, depth));
    return put(p, "}", 1);
}

static ngff_status put_int(printer *p, const ngff_json *node) {
    int64_t i;
    uint64_t u = 0;
    if (ngff_json_i64(node, &i))
        return ngff_buf_printf(p->out, p->err, "%lld", (long long)i);
    bool is_unsigned = ngff_json_u64(node, &u);
    assert(is_unsigned);
    (void)is_unsigned;
    return ngff_buf_printf(p->out, p->err, "%llu", (unsigned long long)u);
}

static ngff_status put_value(printer *p, const ngff_json *node, int depth) {
    json_object *o = ngff_json_to_c(node);
    if (depth > DEPTH_MAX)
        return ngff_fail(p->err, NGFF_LIMIT, "JSON: nesting deeper than %d", DEPTH_MAX);
    switch (ngff_json_type_of(node)) {
    case NGFF_JSON_BOOL:
        return json_object_get_boolean(o) ? put(p, "true", 4) : put(p, "false", 5);
    case NGFF_JSON_INT:
        return put_int(p, node);
    case NGFF_JSON_DOUBLE:
        return put_double(p, o);
    case NGFF_JSON_STRING:
        return put_string(p, json_object_get_string(o),
                          (size_t)json_object_get_string_len(o));
    case NGFF_JSON_ARRAY:
        return put_array(p, node, depth);
    case NGFF_JSON_OBJECT:
        return put_object(p, node, depth);
    case NGFF_JSON_NULL:
        break;
    }
    return put(p, "null", 4);
}

ngff_status ngff_json_print(const ngff_json *node, int indent, ngff_buf *out,
                            ngff_error *err) {
    assert(indent >= 0);
    printer p = {out, indent, err};
    NGFF_TRY(put_value(&p, node, 0));
    return indent ? put(&p, "\n", 1) : NGFF_OK;
}
