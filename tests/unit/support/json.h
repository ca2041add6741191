/* Documents out of texts that are known to be right. */
#ifndef NGFF_TEST_JSON_H
#define NGFF_TEST_JSON_H

#include "support/cmocka.h"

#include "json/json.h"

#include <string.h>

static inline ngff_json *parse_json(const char *text) {
    ngff_json *doc = NULL;
    ngff_error err = {0};
    if (ngff_json_parse(text, strlen(text), NGFF_JSON_STRICT, &doc, &err) != NGFF_OK)
        fail_msg("%s: %s", text, err.message);
    return doc;
}

#endif
