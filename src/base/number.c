/* base: numbers as text, whatever the locale says about the decimal point. */
#include "base/base.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LOCALE_TEXT_MAX 1024

bool ngff_parse_i64(const char *s, int64_t *out) {
    bool negative = *s == '-';
    if (*s == '-' || *s == '+')
        s++;
    if (*s == '\0')
        return false;
    int64_t value = 0; /* kept negative: its range is the larger one */
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || !ngff_mul_i64(value, 10, &value) ||
            !ngff_add_i64(value, -(int64_t)(*s - '0'), &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;
    *out = negative ? value : -value;
    return true;
}

/* What this thread's locale puts between 0 and 5 in one half. */
static size_t locale_point(char *out, size_t out_size) {
    char half[16];
    int n = snprintf(half, sizeof half, "%.1f", 0.5);
    size_t len = n > 2 && n < (int)sizeof half ? (size_t)n - 2 : 0;
    if (len == 0 || len >= out_size)
        return 0;
    memcpy(out, half + 1, len);
    out[len] = '\0';
    return len;
}

static const char *skip_digits(const char *s, bool *any) {
    while (*s >= '0' && *s <= '9') {
        s++;
        *any = true;
    }
    return s;
}

/* [+-] digits [. digits] [e [+-] digits], nothing around it; *point is where the dot is.
 */
static bool is_decimal(const char *s, const char **point) {
    bool mantissa = false;
    *point = NULL;
    if (*s == '-' || *s == '+')
        s++;
    s = skip_digits(s, &mantissa);
    if (*s == '.') {
        *point = s;
        s = skip_digits(s + 1, &mantissa);
    }
    if (!mantissa)
        return false;
    if (*s == 'e' || *s == 'E') {
        bool exponent = false;
        s++;
        if (*s == '-' || *s == '+')
            s++;
        s = skip_digits(s, &exponent);
        if (!exponent)
            return false;
    }
    return *s == '\0';
}

bool ngff_parse_f64(const char *s, double *out) {
    const char *point;
    char dot[8];
    char local[LOCALE_TEXT_MAX];
    if (!is_decimal(s, &point))
        return false;
    size_t dot_len = locale_point(dot, sizeof dot);
    if (point && !(dot_len == 1 && dot[0] == '.')) {
        int n = snprintf(local, sizeof local, "%.*s%s%s", (int)(point - s), s, dot,
                         point + 1);
        if (n < 0 || n >= (int)sizeof local)
            return false;
        s = local;
    }
    char *end;
    double value = strtod(s, &end);
    if (*end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

/* Adds one to the last of the 16 digits of "d.ddde+xx". */
static void bump_last_digit(char *text) {
    char *at = strchr(text, 'e');
    while (at && at > text) {
        at--;
        if (*at >= '0' && *at < '9') {
            ++*at;
            return;
        }
        if (*at == '9')
            *at = '0';
    }
}

/* Below a power of two the doubles lie closer than above it, so the nearest 16 digits may
 * lie too low where the next ones up still read back. Such powers are all printed with an
 * exponent. */
static bool format_power_of_two(double v, char *out, size_t out_size) {
    int exponent;
    if (fabs(frexp(v, &exponent)) != 0.5)
        return false;
    snprintf(out, out_size, "%.15e", v);
    bump_last_digit(out);
    return strtod(out, NULL) == v;
}

void ngff_format_f64(double v, char *out, size_t out_size) {
    assert(out_size >= 32);
    if (!isfinite(v)) {
        ngff_copy_text(out, out_size,
                       isnan(v) ? "NaN"
                       : v < 0  ? "-Infinity"
                                : "Infinity");
        return;
    }
    /* Any decimal of up to 15 digits survives a normal double, so no shorter text is
     * missed by starting there; subnormal numbers have less precision and may be shorter.
     */
    int digits = v != 0 && fabs(v) < DBL_MIN ? 1 : DBL_DIG;
    for (; digits <= 16; digits++) {
        snprintf(out, out_size, "%.*g", digits, v);
        if (strtod(out, NULL) == v)
            break;
    }
    if (digits > 16 && !format_power_of_two(v, out, out_size))
        snprintf(out, out_size, "%.17g", v);
    char dot[8];
    size_t dot_len = locale_point(dot, sizeof dot);
    char *at = dot_len ? strstr(out, dot) : NULL;
    if (at) {
        memmove(at + 1, at + dot_len, strlen(at + dot_len) + 1);
        *at = '.';
    }
}
