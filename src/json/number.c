/* json: number tokens (RFC 8259 section 6). Whole numbers stay exact in 64 bits; those
 * beyond, and all with a fraction or exponent, become doubles that remember how they were
 * written. */
#include "json/inside.h"

static bool at_digit(const ngff_json_parser *p) {
    return p->at < p->size && p->text[p->at] >= '0' && p->text[p->at] <= '9';
}

static bool at_any(const ngff_json_parser *p, const char *chars) {
    return p->at < p->size && p->text[p->at] && strchr(chars, p->text[p->at]);
}

static ngff_status skip_digits(ngff_json_parser *p) {
    if (!at_digit(p))
        return ngff_json_expected(p, "a digit");
    while (at_digit(p))
        p->at++;
    return NGFF_OK;
}

static ngff_status skip_number(ngff_json_parser *p, bool *whole) {
    *whole = true;
    if (at_any(p, "-"))
        p->at++;
    bool zero = at_any(p, "0");
    size_t from = p->at;
    NGFF_TRY(skip_digits(p));
    if (zero && p->at > from + 1) {
        p->at = from;
        return ngff_json_wrong(p, NGFF_FORMAT, "a number with a leading zero");
    }
    if (at_any(p, ".")) {
        *whole = false;
        p->at++;
        NGFF_TRY(skip_digits(p));
    }
    if (at_any(p, "eE")) {
        *whole = false;
        p->at++;
        if (at_any(p, "+-"))
            p->at++;
        NGFF_TRY(skip_digits(p));
    }
    return NGFF_OK;
}

static bool parse_u64(const char *s, uint64_t *out) {
    uint64_t value = 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

ngff_status ngff_json_read_number(ngff_json_parser *p, json_object **out) {
    size_t from = p->at;
    bool whole;
    int64_t i;
    uint64_t u;
    double f;
    NGFF_TRY(skip_number(p, &whole));
    p->scratch.size = 0;
    NGFF_TRY(ngff_buf_append(&p->scratch, p->text + from, p->at - from, p->err));
    NGFF_TRY(ngff_json_spend(p, 128 + (whole ? 0 : p->scratch.size)));
    const char *text = p->scratch.data;
    if (whole && ngff_parse_i64(text, &i)) {
        *out = json_object_new_int64(i);
    } else if (whole && parse_u64(text, &u)) {
        *out = json_object_new_uint64(u);
    } else if (ngff_parse_f64(text, &f)) {
        *out = ngff_json_double_with_text(f, text);
    } else {
        p->at = from;
        return ngff_json_wrong(p, NGFF_FORMAT, "a number beyond the range of a double");
    }
    return *out ? NGFF_OK : ngff_fail_nomem(p->err, "a JSON number", p->scratch.size);
}
