/* json, inside: what its files share. A node is a json-c object; json-c says null with a
 * NULL pointer, we need to tell null from absent and so stand a mark in for it. One tree,
 * one thread. */
#ifndef NGFF_JSON_INSIDE_H
#define NGFF_JSON_INSIDE_H

#include "json/json.h"

#include <json-c/json_object.h>

/* Our nodes as json-c's and back. The second never answers NULL. */
json_object *ngff_json_to_c(const ngff_json *node);
ngff_json *ngff_json_from_c(json_object *object);

/* A double whose text is printed as given. NULL when out of memory. */
json_object *ngff_json_double_with_text(double value, const char *text);

/* Members are about to move: what ngff_json_member remembered of this object is void. */
void ngff_json_forget_cursor(json_object *object);

/* ---- the parser's parts
 * ---------------------------------------------------------------- */

typedef struct ngff_json_parser {
    const char *text;
    size_t size;
    size_t at;
    int flags;
    size_t cost; /* estimated bytes of the tree so far */
    ngff_buf scratch;
    ngff_error *err;
} ngff_json_parser;

/* "expected <what>, found <what is at p->at> at line l:c", FORMAT. */
ngff_status ngff_json_expected(ngff_json_parser *p, const char *what);
/* "<what> at line l:c". */
ngff_status ngff_json_wrong(ngff_json_parser *p, ngff_status status, const char *what);
/* Counts memory against the ceiling; LIMIT above it. */
NGFF_MUST_USE ngff_status ngff_json_spend(ngff_json_parser *p, size_t bytes);
/* p->at is on the opening quote; the unescaped text is left in p->scratch. */
NGFF_MUST_USE ngff_status ngff_json_read_string(ngff_json_parser *p);
/* p->at is on '-' or a digit. */
NGFF_MUST_USE ngff_status ngff_json_read_number(ngff_json_parser *p, json_object **out);

#endif
