/* base: errors without a heap. The message is always one line of valid UTF-8, whatever
 * bytes a file name or a foreign document put into it. */
#include "base/base.h"

#include <stdio.h>

/* Replaces control characters and broken UTF-8, and drops a character cut in half at the
 * end. */
static void make_one_line(char *text) {
    size_t size = strlen(text);
    size_t at = 0;
    while (at < size) {
        size_t step = ngff_utf8_step(text + at, size - at);
        unsigned char c = (unsigned char)text[at];
        if (step == 0 && ngff_utf8_is_cut(text + at, size - at)) {
            text[at] = '\0';
            return;
        }
        if (step == 0)
            text[at] = '?';
        else if (c < 0x20 || c == 0x7f)
            text[at] = ' ';
        at += step ? step : 1;
    }
}

ngff_status ngff_fail(ngff_error *err, ngff_status status, const char *fmt, ...) {
    assert(status != NGFF_OK);
    if (!err || err->message[0] != '\0')
        return status;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    if (n < 0)
        ngff_copy_text(err->message, sizeof err->message, ngff_status_name(status));
    make_one_line(err->message);
    err->status = status;
    return status;
}

ngff_status ngff_fail_at(ngff_error *err, ngff_status status, const char *fmt, ...) {
    assert(status != NGFF_OK);
    if (!err)
        return status;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    if (n < 0)
        err->message[0] = '\0';
    size_t used = strlen(err->message);
    const char *rest = old[0] ? old : ngff_status_name(status);
    snprintf(err->message + used, sizeof err->message - used, used ? ": %s" : "%s", rest);
    make_one_line(err->message);
    err->status = status;
    return status;
}

ngff_status ngff_fail_origin(ngff_error *err, ngff_status status, ngff_origin origin) {
    if (err && status != NGFF_OK && err->origin == NGFF_ORIGIN_NONE)
        err->origin = (int32_t)origin;
    return status;
}

void ngff_error_clear(ngff_error *err) {
    if (!err)
        return;
    err->status = NGFF_OK;
    err->origin = NGFF_ORIGIN_NONE;
    err->message[0] = '\0';
}

const char *ngff_status_name(ngff_status status) {
    static const char *const names[] = {"OK",       "INVALID", "NOMEM",     "NOT_FOUND",
                                        "EXISTS",   "IO",      "FORMAT",    "UNSUPPORTED",
                                        "CHECKSUM", "LIMIT",   "CANCELLED", "INTERNAL"};
    int at = -(int)status;
    if (at < 0 || at >= (int)(sizeof names / sizeof names[0]))
        return "UNKNOWN";
    return names[at];
}
