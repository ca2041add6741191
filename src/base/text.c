/* base: small text questions. */
#include "base/base.h"

bool ngff_starts_with(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ngff_ends_with(const char *s, const char *suffix) {
    size_t len = strlen(s);
    size_t tail = strlen(suffix);
    return tail <= len && memcmp(s + (len - tail), suffix, tail) == 0;
}

bool ngff_copy_text(char *dst, size_t dst_size, const char *src) {
    assert(dst_size > 0);
    size_t len = strlen(src);
    bool fits = len < dst_size;
    if (!fits) {
        len = dst_size - 1;
        /* Never end in half a character. */
        while (len > 0 && ((unsigned char)src[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(dst, src, len);
    dst[len] = '\0';
    return fits;
}

/* The length the first byte announces and the range its second byte must lie in
 * (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_lead(unsigned char c, unsigned char *lo, unsigned char *hi) {
    *lo = 0x80;
    *hi = 0xBF;
    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF)
        return 2;
    if (c >= 0xE0 && c <= 0xEF) {
        *lo = c == 0xE0 ? 0xA0 : 0x80;
        *hi = c == 0xED ? 0x9F : 0xBF;
        return 3;
    }
    if (c >= 0xF0 && c <= 0xF4) {
        *lo = c == 0xF0 ? 0x90 : 0x80;
        *hi = c == 0xF4 ? 0x8F : 0xBF;
        return 4;
    }
    return 0;
}

/* How many of the announced bytes are there and right; *want is the announced number. */
static size_t utf8_good(const char *s, size_t size, size_t *want) {
    const unsigned char *b = (const unsigned char *)s;
    unsigned char lo, hi;
    *want = size ? utf8_lead(b[0], &lo, &hi) : 0;
    if (*want == 0)
        return 0;
    size_t i = 1;
    for (; i < *want && i < size; i++) {
        if (b[i] < (i == 1 ? lo : 0x80) || b[i] > (i == 1 ? hi : 0xBF))
            break;
    }
    return i;
}

size_t ngff_utf8_step(const char *s, size_t size) {
    size_t want;
    size_t good = utf8_good(s, size, &want);
    return good == want ? want : 0;
}

bool ngff_utf8_is_cut(const char *s, size_t size) {
    size_t want;
    size_t good = utf8_good(s, size, &want);
    return want > size && good == size;
}

bool ngff_utf8_valid(const char *s, size_t size) {
    size_t at = 0;
    while (at < size) {
        size_t step = ngff_utf8_step(s + at, size - at);
        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
