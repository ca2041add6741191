/* store: which keys are keys. */
#include "store/inside.h"

#define SEGMENT_MAX 255 /* what file systems take */

static const char *segment_fault(const char *segment, size_t len, bool own) {
    if (len == 0)
        return "an empty segment";
    if (len > SEGMENT_MAX)
        return "a segment longer than 255 bytes";
    if (len <= 2 && segment[0] == '.' && segment[len - 1] == '.')
        return "a dot segment";
    if (!own && strncmp(segment, NGFF_STORE_OWN, sizeof NGFF_STORE_OWN - 1) == 0)
        return "a name reserved for the store (.ngff-…)";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)segment[i];
        if (c < 0x20 || c == 0x7f)
            return "a control character";
        if (c == '\\')
            return "a backslash";
    }
    return NULL;
}

/* The key as it may be shown: one line, short. */
static void shown(const char *key, char *out, size_t out_size) {
    (void)ngff_copy_text(out, out_size, key);
    for (; *out; out++) {
        if ((unsigned char)*out < 0x20 || *out == 0x7f)
            *out = '?';
    }
}

/* `own`: with names of the store's own. */
static ngff_status check(const char *key, bool own, ngff_error *err) {
    char text[96];
    shown(key, text, sizeof text);
    if (strlen(key) >= NGFF_STORE_KEY_MAX)
        return ngff_fail(err, NGFF_INVALID, "key %s…: longer than %d bytes", text,
                         NGFF_STORE_KEY_MAX - 1);
    for (const char *at = key;; at++) {
        size_t len = strcspn(at, "/");
        const char *fault = segment_fault(at, len, own);
        if (fault)
            return ngff_fail(err, NGFF_INVALID, "key \"%s\": %s", text, fault);
        at += len;
        if (*at == '\0')
            break;
    }
    if (!ngff_utf8_valid(key, strlen(key)))
        return ngff_fail(err, NGFF_INVALID, "key \"%s\": not UTF-8", text);
    return NGFF_OK;
}

ngff_status ngff_store_key_check(const char *key, ngff_error *err) {
    return check(key, false, err);
}

bool ngff_store_own_key(const char *key) {
    return check(key, true, NULL) == NGFF_OK;
}

size_t ngff_store_key_depth(const char *key) {
    size_t depth = 0;
    for (; *key; key++)
        depth += *key == '/';
    return depth;
}

bool ngff_store_key_is_document(const char *key) {
    static const char *const documents[] = {"zarr.json", ".zgroup", ".zarray", ".zattrs",
                                            ".zmetadata"};
    const char *slash = strrchr(key, '/');
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        if (strcmp(slash ? slash + 1 : key, documents[i]) == 0)
            return true;
    }
    return false;
}
