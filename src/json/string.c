/* json: string tokens (RFC 8259 section 7). */
#include "json/inside.h"

#define REPLACEMENT 0xFFFDu

static ngff_status put_code_point(ngff_json_parser *p, uint32_t c) {
    char out[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n; i-- > 0; c >>= 6)
        out[i] = (char)(i ? 0x80 | (c & 0x3F) : (n > 1 ? lead[n] | c : c));
    return ngff_buf_append(&p->scratch, out, n, p->err);
}

/* Four hexadecimal digits at `at`. */
static bool hex4(const ngff_json_parser *p, size_t at, uint32_t *out) {
    if (p->size - at < 4)
        return false;
    *out = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = p->text[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
        *out = *out << 4 | digit;
    }
    return true;
}

/* p->at is behind the u. */
static ngff_status read_unicode(ngff_json_parser *p) {
    uint32_t c, low;
    if (!hex4(p, p->at, &c))
        return ngff_json_wrong(p, NGFF_FORMAT, "\\u without four hexadecimal digits");
    bool high = c >= 0xD800 && c <= 0xDBFF;
    if (high && p->size - p->at >= 10 && p->text[p->at + 4] == '\\' &&
        p->text[p->at + 5] == 'u' && hex4(p, p->at + 6, &low) && low >= 0xDC00 &&
        low <= 0xDFFF) {
        p->at += 10;
        return put_code_point(p, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
    }
    if (c >= 0xD800 && c <= 0xDFFF) {
        /* RFC 8259 section 8.2: half a pair is no character and nothing to rely on. */
        if (!(p->flags & NGFF_JSON_LENIENT))
            return ngff_json_wrong(p, NGFF_FORMAT, "half a surrogate pair");
        c = REPLACEMENT;
    }
    p->at += 4;
    return put_code_point(p, c);
}

/* p->at is behind the backslash. */
static ngff_status read_escape(ngff_json_parser *p) {
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char c = p->at < p->size ? p->text[p->at] : '\0';
    if (c == 'u') {
        p->at++;
        return read_unicode(p);
    }
    const char *found = c ? strchr(from, c) : NULL;
    if (!found)
        return ngff_json_expected(p, "an escape sequence");
    p->at++;
    return ngff_buf_append(&p->scratch, to + (found - from), 1, p->err);
}

/* The bytes up to the next quote, backslash or error. */
static ngff_status read_plain(ngff_json_parser *p) {
    size_t from = p->at;
    while (p->at < p->size) {
        unsigned char c = (unsigned char)p->text[p->at];
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        size_t step = c < 0x80 ? 1 : ngff_utf8_step(p->text + p->at, p->size - p->at);
        if (step == 0)
            return ngff_json_wrong(p, NGFF_FORMAT, "a string that is not UTF-8");
        p->at += step;
    }
    return ngff_buf_append(&p->scratch, p->text + from, p->at - from, p->err);
}

ngff_status ngff_json_read_string(ngff_json_parser *p) {
    assert(p->text[p->at] == '"');
    size_t opening = p->at++;
    p->scratch.size = 0;
    for (;;) {
        NGFF_TRY(read_plain(p));
        if (p->at == p->size) {
            p->at = opening;
            return ngff_json_wrong(p, NGFF_FORMAT, "a string without an end");
        }
        char c = p->text[p->at];
        if (c != '"' && c != '\\')
            return ngff_json_wrong(p, NGFF_FORMAT, "a control character in a string");
        p->at++;
        if (c == '"')
            return NGFF_OK;
        NGFF_TRY(read_escape(p));
    }
}
