/* json: text to tree. json-c's own tokener is not used: it takes control characters, cut
 * numbers, NaN and repeated members without a word, pulls large integers to the nearest
 * it can hold, and cannot say where it stopped. The tree is json-c's. Recursion ends at
 * depth 64. */
#include "json/inside.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 64
/* A dozen bytes of text may cost a kilobyte of tree; no document needs more than this. */
#define MEMORY_MAX ((size_t)512 << 20)
/* Rough sizes of json-c's structures, with the allocator's share. */
#define COST_OBJECT ((size_t)800)
#define COST_MEMBER ((size_t)160)
#define COST_ARRAY ((size_t)200)
#define COST_ELEMENT ((size_t)16)
#define COST_STRING ((size_t)80)

/* ---- errors
 * ---------------------------------------------------------------------------- */

static void position(const ngff_json_parser *p, size_t *line, size_t *column) {
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < p->at && i < p->size; i++) {
        unsigned char c = (unsigned char)p->text[i];
        if (c == '\n') {
            ++*line;
            *column = 1;
        } else if ((c & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

ngff_status ngff_json_wrong(ngff_json_parser *p, ngff_status status, const char *what) {
    size_t line, column;
    position(p, &line, &column);
    return ngff_fail(p->err, status, "JSON: %s at line %zu:%zu", what, line, column);
}

ngff_status ngff_json_expected(ngff_json_parser *p, const char *what) {
    char found[32];
    char all[128];
    unsigned char c = p->at < p->size ? (unsigned char)p->text[p->at] : 0;
    if (p->at >= p->size)
        snprintf(found, sizeof found, "the end of the text");
    else if (c > 0x20 && c < 0x7f)
        snprintf(found, sizeof found, "'%c'", c);
    else
        snprintf(found, sizeof found, "byte 0x%02x", c);
    snprintf(all, sizeof all, "expected %s, found %s", what, found);
    return ngff_json_wrong(p, NGFF_FORMAT, all);
}

ngff_status ngff_json_spend(ngff_json_parser *p, size_t bytes) {
    if (bytes > MEMORY_MAX - p->cost)
        return ngff_json_wrong(p, NGFF_LIMIT, "a document with too many values");
    p->cost += bytes;
    return NGFF_OK;
}

/* ---- values
 * ---------------------------------------------------------------------------- */

static void skip_blanks(ngff_json_parser *p) {
    while (p->at < p->size && p->text[p->at] && strchr(" \t\r\n", p->text[p->at]))
        p->at++;
}

static bool take(ngff_json_parser *p, char c) {
    skip_blanks(p);
    if (p->at >= p->size || p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

static bool take_word(ngff_json_parser *p, const char *word) {
    size_t len = strlen(word);
    if (p->size - p->at < len || memcmp(p->text + p->at, word, len) != 0)
        return false;
    p->at += len;
    return true;
}

static ngff_status read_value(ngff_json_parser *p, int depth, json_object **out);

static ngff_status read_literal(ngff_json_parser *p, json_object **out) {
    NGFF_TRY(ngff_json_spend(p, COST_STRING));
    if (take_word(p, "null")) {
        *out = NULL;
        return NGFF_OK;
    }
    if (take_word(p, "true"))
        *out = json_object_new_boolean(1);
    else if (take_word(p, "false"))
        *out = json_object_new_boolean(0);
    else if (!(p->flags & NGFF_JSON_LENIENT))
        return ngff_json_expected(p, "a value");
    else if (take_word(p, "NaN"))
        *out = ngff_json_double_with_text((double)NAN, "NaN");
    else if (take_word(p, "Infinity"))
        *out = ngff_json_double_with_text((double)INFINITY, "Infinity");
    else if (take_word(p, "-Infinity"))
        *out = ngff_json_double_with_text(-(double)INFINITY, "-Infinity");
    else
        return ngff_json_expected(p, "a value");
    return *out ? NGFF_OK : ngff_fail_nomem(p->err, "a JSON value", COST_STRING);
}

static ngff_status read_text(ngff_json_parser *p, json_object **out) {
    NGFF_TRY(ngff_json_read_string(p));
    NGFF_TRY(ngff_json_spend(p, COST_STRING + p->scratch.size));
    /* json-c counts strings with int; NGFF_JSON_MAX_SIZE is far below. */
    const char *text = p->scratch.size ? p->scratch.data : "";
    *out = json_object_new_string_len(text, (int)p->scratch.size);
    return *out ? NGFF_OK : ngff_fail_nomem(p->err, "a JSON string", p->scratch.size);
}

static ngff_status read_elements(ngff_json_parser *p, int depth, json_object *array) {
    if (take(p, ']'))
        return NGFF_OK;
    do {
        json_object *value = NULL;
        NGFF_TRY(ngff_json_spend(p, COST_ELEMENT));
        NGFF_TRY(read_value(p, depth, &value));
        if (json_object_array_add(array, value) != 0) {
            json_object_put(value);
            return ngff_fail_nomem(p->err, "a JSON array", COST_ELEMENT);
        }
    } while (take(p, ','));
    return take(p, ']') ? NGFF_OK : ngff_json_expected(p, "',' or ']'");
}

/* Reads a member's name and leaves its own copy in *name. */
static ngff_status read_name(ngff_json_parser *p, const json_object *object, char **name,
                             bool *known) {
    skip_blanks(p);
    if (p->at >= p->size || p->text[p->at] != '"')
        return ngff_json_expected(p, "a member name");
    size_t from = p->at;
    NGFF_TRY(ngff_json_read_string(p));
    NGFF_TRY(ngff_json_spend(p, COST_MEMBER + p->scratch.size));
    const char *text = p->scratch.size ? p->scratch.data : "";
    size_t behind = p->at;
    p->at = from; /* the place of the errors below */
    if (strlen(text) != p->scratch.size)
        return ngff_json_wrong(p, NGFF_FORMAT, "a member name with a NUL character");
    *known = json_object_object_get_ex(object, text, NULL);
    if (*known && !(p->flags & NGFF_JSON_LENIENT)) {
        char what[96];
        snprintf(what, sizeof what, "member \"%.60s\" given twice", text);
        return ngff_json_wrong(p, NGFF_FORMAT, what);
    }
    p->at = behind;
    *name = ngff_strdup(NULL, text);
    return *name ? NGFF_OK : ngff_fail_nomem(p->err, "a member name", p->scratch.size);
}

static ngff_status read_member(ngff_json_parser *p, int depth, json_object *object) {
    char *name = NULL;
    json_object *value = NULL;
    bool known = false;
    NGFF_TRY(read_name(p, object, &name, &known));
    ngff_status status =
        take(p, ':') ? read_value(p, depth, &value) : ngff_json_expected(p, "':'");
    if (status == NGFF_OK &&
        json_object_object_add_ex(object, name, value,
                                  known ? 0 : JSON_C_OBJECT_ADD_KEY_IS_NEW)) {
        json_object_put(value);
        status = ngff_fail_nomem(p->err, "a JSON member", COST_MEMBER);
    }
    ngff_free(NULL, name);
    return status;
}

static ngff_status read_members(ngff_json_parser *p, int depth, json_object *object) {
    if (take(p, '}'))
        return NGFF_OK;
    do
        NGFF_TRY(read_member(p, depth, object));
    while (take(p, ','));
    return take(p, '}') ? NGFF_OK : ngff_json_expected(p, "',' or '}'");
}

static ngff_status read_container(ngff_json_parser *p, int depth, json_object **out) {
    bool is_object = p->text[p->at] == '{';
    if (depth > DEPTH_MAX)
        return ngff_json_wrong(p, NGFF_LIMIT, "nesting deeper than 64");
    NGFF_TRY(ngff_json_spend(p, is_object ? COST_OBJECT : COST_ARRAY));
    json_object *container =
        is_object ? json_object_new_object() : json_object_new_array_ext(4);
    if (!container)
        return ngff_fail_nomem(p->err, "a JSON value", COST_OBJECT);
    p->at++;
    ngff_status status = is_object ? read_members(p, depth, container)
                                   : read_elements(p, depth, container);
    if (status != NGFF_OK)
        json_object_put(container);
    else
        *out = container;
    return status;
}

/* `depth` counts the containers around this value. */
static ngff_status read_value(ngff_json_parser *p, int depth, json_object **out) {
    skip_blanks(p);
    char c = p->at < p->size ? p->text[p->at] : '\0';
    bool infinity = p->size - p->at > 1 && c == '-' && p->text[p->at + 1] == 'I';
    if (c == '{' || c == '[')
        return read_container(p, depth + 1, out);
    if (c == '"')
        return read_text(p, out);
    if ((c == '-' && !infinity) || (c >= '0' && c <= '9'))
        return ngff_json_read_number(p, out);
    return read_literal(p, out);
}

ngff_status ngff_json_parse(const char *text, size_t size, int flags, ngff_json **out,
                            ngff_error *err) {
    ngff_json_parser p = {.text = text, .size = size, .flags = flags, .err = err};
    json_object *root = NULL;
    *out = NULL;
    if (size > NGFF_JSON_MAX_SIZE)
        return ngff_fail(err, NGFF_LIMIT, "JSON: a document of %zu bytes, at most %zu",
                         size, NGFF_JSON_MAX_SIZE);
    if ((flags & NGFF_JSON_LENIENT) && size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        p.at = 3;
    ngff_buf_init(&p.scratch, NULL, NGFF_JSON_MAX_SIZE);
    ngff_status status = read_value(&p, 0, &root);
    skip_blanks(&p);
    if (status == NGFF_OK && p.at < p.size) {
        json_object_put(root);
        status = ngff_json_expected(&p, "nothing after the document");
    }
    ngff_buf_reset(&p.scratch);
    if (status == NGFF_OK)
        *out = ngff_json_from_c(root);
    return status;
}
