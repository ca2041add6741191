/* store: which kind a location names, and whether two locations overlap. */
#include "store/inside.h"

static bool has_scheme(const char *location) {
    const char *at = strstr(location, "://");
    if (!at || at == location)
        return false;
    for (const char *c = location; c < at; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        bool other = (*c >= '0' && *c <= '9') || *c == '+' || *c == '-' || *c == '.';
        if (!letter && !(other && c > location))
            return false;
    }
    return true;
}

static bool is_zip_name(const char *location) {
    return ngff_ends_with(location, ".ozx") || ngff_ends_with(location, ".zip");
}

/* How much of "plate.ozx/A/1/0" names the archive, an existing file; 0: none does. */
static size_t archive_length(const char *location) {
    char name[NGFF_STORE_PATH_MAX];
    for (const char *slash = strchr(location, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        size_t len = (size_t)(slash - location);
        ngff_path_kind kind;
        if (len >= sizeof name)
            return 0;
        memcpy(name, location, len);
        name[len] = '\0';
        if (is_zip_name(name) && ngff_path_kind_of(name, &kind, NULL) == NGFF_OK &&
            kind == NGFF_PATH_FILE)
            return len;
    }
    return 0;
}

/* A group inside an archive, for reading. */
static ngff_status open_in_archive(const ngff_allocator *a, const char *location,
                                   size_t len, const ngff_store_open_opts *opts,
                                   ngff_store **out, ngff_error *err) {
    char archive[NGFF_STORE_PATH_MAX], inside[NGFF_STORE_KEY_MAX];
    ngff_store *store;
    if (opts->mode != NGFF_STORE_READ)
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: an archive is written as a whole, not a group in it",
                         location);
    memcpy(archive, location, len);
    archive[len] = '\0';
    if (!ngff_copy_text(inside, sizeof inside, location + len + 1))
        return ngff_fail(err, NGFF_INVALID, "%s: the path is too long", location);
    for (size_t n = strlen(inside); n > 0 && inside[n - 1] == '/'; n--)
        inside[n - 1] = '\0';
    NGFF_TRY(ngff_store_open_zip(a, archive, opts, &store, err));
    return ngff_store_open_inside(a, &store, inside, out, err);
}

ngff_status ngff_store_at(const ngff_allocator *a, const char *location,
                          const ngff_store_open_opts *opts, ngff_store **out,
                          ngff_error *err) {
    ngff_path_kind kind;
    *out = NULL;
    if (strcmp(location, "memory://") == 0)
        return ngff_store_open_memory(a, out, err);
    if (ngff_starts_with(location, "file://"))
        location += strlen("file://");
    if (location[0] == '\0')
        return ngff_fail(err, NGFF_INVALID, "the location is empty");
    if (has_scheme(location))
        return ngff_fail(err, NGFF_UNSUPPORTED,
                         "%s: only directories and memory:// are stores in this build",
                         location);
    NGFF_TRY(ngff_path_kind_of(location, &kind, err));
    size_t archive = kind == NGFF_PATH_NONE ? archive_length(location) : 0;
    if (archive > 0)
        return open_in_archive(a, location, archive, opts, out, err);
    /* A directory with such a name is read as what it is. */
    if (is_zip_name(location) &&
        (kind != NGFF_PATH_DIR || opts->mode == NGFF_STORE_STAGE ||
         opts->mode == NGFF_STORE_CHUNKS))
        return ngff_store_open_zip(a, location, opts, out, err);
    return ngff_store_open_fs(a, location, opts, out, err);
}

/* ---- overlap
 * ------------------------------------------------------------------------------ */

typedef struct identity {
    uint64_t dev, ino;
    bool known;
} identity;

static identity identity_of(const char *path) {
    identity id = {0, 0, false};
    id.known = ngff_path_identity(path, &id.dev, &id.ino, NULL) == NGFF_OK;
    return id;
}

/* `inner` is `outer` or lies in it: by text, or, for what is mounted twice, by identity
 * of each directory on the way up. */
static bool is_within(const char *inner, const char *outer) {
    char work[NGFF_STORE_PATH_MAX];
    size_t len = strlen(outer);
    if (strncmp(inner, outer, len) == 0 &&
        (inner[len] == '/' || inner[len] == '\0' || strcmp(outer, "/") == 0))
        return true;
    identity target = identity_of(outer);
    if (!target.known || !ngff_copy_text(work, sizeof work, inner))
        return false;
    for (;;) {
        identity id = identity_of(work);
        if (id.known && id.dev == target.dev && id.ino == target.ino)
            return true;
        char *slash = strrchr(work, '/');
        if (!slash || slash == work)
            return false;
        *slash = '\0';
    }
}

bool ngff_store_overlaps(const ngff_store *s, const char *path) {
    char *absolute;
    if (!s->path || ngff_path_absolute(s->alloc, path, &absolute, NULL) != NGFF_OK)
        return false;
    bool overlaps = is_within(absolute, s->path) || is_within(s->path, absolute);
    if (s->other_path)
        overlaps = overlaps || is_within(absolute, s->other_path) ||
                   is_within(s->other_path, absolute);
    ngff_free(s->alloc, absolute);
    return overlaps;
}
