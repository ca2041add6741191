/* image: an archive judged by RFC-9. What the directory tells comes from the store; here
 * are the documents and the comment. */
#include "image/inside.h"

#include <stdio.h>

typedef struct judging {
    ngff_store *store;
    const ngff_store_archive *archive;
    ngff_finding_fn fn;
    void *user;
    const char *version; /* of the root document, or NULL; borrowed */
    ngff_error *err;
    ngff_buf todo; /* groups to look at, each with its NUL */
    const char *path;
    char plain[512]; /* the first array of several chunks that is not sharded */
    char *text;      /* of the finding; TEXT_MAX bytes */
} judging;

enum { TEXT_MAX = 700 };

static void say(const judging *j, const char *rule, const char *level, bool kept) {
    const ngff_finding f = {rule, level, kept, j->text};
    j->fn(j->user, &f);
}

static void say_text(const judging *j, const char *rule, const char *level, bool kept,
                     const char *text) {
    (void)ngff_copy_text(j->text, TEXT_MAX, text);
    say(j, rule, level, kept);
}

/* ---- the hierarchy ---- */

static void judge_root(const judging *j, const ngff_json *attributes, int format) {
    const ngff_store_archive *a = j->archive;
    bool ome = ngff_json_type_of(ngff_json_get(attributes, "ome")) == NGFF_JSON_OBJECT;
    const char *what = "the root document describes an OME-Zarr hierarchy";
    if (!a->root)
        what = "no Zarr document was found";
    else if (format == 2)
        what = "the hierarchy is Zarr v2, OME-Zarr 0.5 or later was expected";
    else if (!ome)
        what = "the root document has no OME-Zarr metadata";
    say_text(j, "OZX-2", "MUST", a->root && format == 3 && ome, what);

    bool at_root = a->root && a->folder[0] == '\0' && format == 3;
    snprintf(j->text, TEXT_MAX, "zarr.json %s%.200s",
             at_root                ? "is at the root of the archive"
             : a->folder[0] == '\0' ? "is not at the root of the archive"
                                    : "is not at the root but in the folder ",
             a->folder);
    say(j, "OZX-3", "MUST", at_root);
}

static void judge_place(const judging *j) {
    const ngff_store_archive *a = j->archive;
    snprintf(j->text, TEXT_MAX, "%s%.300s",
             a->embedded ? "it holds another archive: "
             : a->parent ? "it lies in the hierarchy "
                         : "it stands alone",
             a->embedded ? a->embedded
             : a->parent ? a->parent
                         : "");
    say(j, "OZX-4", "MUST", !a->embedded && !a->parent);
    say_text(j, "OZX-5", "MUST", true, "one volume");
}

/* ---- the archive ---- */

static void judge_entries(const judging *j) {
    const ngff_store_archive *a = j->archive;
    say_text(j, "OZX-6", "SHOULD", a->zip64,
             a->zip64 ? "the ZIP64 end records are there" : "no ZIP64 end records");
    if (a->deflated_count == 0)
        snprintf(j->text, TEXT_MAX, "all entries are stored");
    else
        snprintf(j->text, TEXT_MAX, "%llu entries are compressed, the first is %.300s",
                 (unsigned long long)a->deflated_count, a->deflated);
    say(j, "OZX-7", "SHOULD", a->deflated_count == 0);
}

static void judge_order(const judging *j) {
    const ngff_store_archive *a = j->archive;
    const char *central = a->first_central ? a->first_central : "nothing";
    const char *local = a->first_local ? a->first_local : "nothing";
    bool kept = false;
    if (strcmp(central, "zarr.json") != 0)
        snprintf(j->text, TEXT_MAX, "first in the directory is %.300s", central);
    else if (strcmp(local, "zarr.json") != 0)
        snprintf(j->text, TEXT_MAX, "first in the file is %.300s", local);
    else if (a->late_central)
        snprintf(j->text, TEXT_MAX, "%.300s follows other entries in the directory",
                 a->late_central);
    else if (a->late_local)
        snprintf(j->text, TEXT_MAX, "%.300s follows other entries in the file",
                 a->late_local);
    else if (!a->breadth_first)
        snprintf(j->text, TEXT_MAX, "the documents are not breadth first");
    else
        kept = snprintf(j->text, TEXT_MAX, "documents first, the root's at the top") > 0;
    say(j, "OZX-9", "SHOULD", kept);
}

/* ---- arrays ---- */

static ngff_status push_child(void *user, const char *name, bool is_prefix) {
    judging *j = user;
    char path[1024];
    if (!is_prefix)
        return NGFF_OK;
    NGFF_TRY(ngff_image_join(j->path, name, path, sizeof path, j->err));
    return ngff_buf_append(&j->todo, path, strlen(path) + 1, j->err);
}

/* An array that cannot be opened is another check's business. */
static void look_at_array(judging *j, const char *path) {
    ngff_zarr_array *array;
    int64_t chunks = 0;
    if (ngff_zarr_array_open(j->store->alloc, j->store, path, &array, NULL) != NGFF_OK)
        return;
    bool many = ngff_nd_volume(array->meta.ndim, array->grid, &chunks, NULL) == NGFF_OK &&
                chunks > 1;
    if (many && !array->meta.sharded && !j->plain[0])
        (void)ngff_copy_text(j->plain, sizeof j->plain, path);
    ngff_zarr_array_close(&array);
}

static ngff_status look_at_node(judging *j, const char *path) {
    int format;
    ngff_zarr_kind kind = NGFF_ZARR_GROUP;
    ngff_status status = ngff_zarr_node(j->store, path, &format, &kind, NULL, NULL);
    if (status == NGFF_OK && kind == NGFF_ZARR_ARRAY) {
        look_at_array(j, path);
        return NGFF_OK;
    }
    j->path = path;
    return ngff_store_list(j->store, path, push_child, j, j->err);
}

static ngff_status judge_arrays(judging *j) {
    char path[1024];
    NGFF_TRY(look_at_node(j, ""));
    for (size_t at = 0; at < j->todo.size; at += strlen(j->todo.data + at) + 1) {
        (void)ngff_copy_text(path, sizeof path, j->todo.data + at);
        NGFF_TRY(look_at_node(j, path));
    }
    if (j->plain[0])
        snprintf(j->text, TEXT_MAX, "array %.400s has several chunks and no shards",
                 j->plain);
    else
        snprintf(j->text, TEXT_MAX, "arrays of several chunks are sharded");
    say(j, "OZX-8", "SHOULD", !j->plain[0]);
    return NGFF_OK;
}

/* ---- the comment ---- */

static void judge_version(const judging *j, const ngff_json *comment) {
    const char *version =
        ngff_json_str(ngff_json_get(ngff_json_get(comment, "ome"), "version"));
    bool kept = version && j->version && strcmp(version, j->version) == 0;
    if (j->archive->comment_size == 0)
        snprintf(j->text, TEXT_MAX, "no comment");
    else if (!comment)
        snprintf(j->text, TEXT_MAX, "the comment is not JSON");
    else if (!version)
        snprintf(j->text, TEXT_MAX, "the comment names no OME-Zarr version");
    else
        snprintf(j->text, TEXT_MAX, "the comment says version %.64s, the root %.64s",
                 version, j->version ? j->version : "none");
    say(j, "OZX-11", "SHOULD", kept);
}

/* A reader that believes the flag would not see the documents that follow. */
static void judge_flag(const judging *j, const ngff_json *ome) {
    const ngff_json *directory =
        ngff_json_get(ngff_json_get(ome, "zipFile"), "centralDirectory");
    const ngff_json *flag = ngff_json_get(directory, "jsonFirst");
    bool claimed = false;
    bool odd = flag && !ngff_json_bool(flag, &claimed);
    const char *what = !flag                                ? "jsonFirst is not given"
                       : odd                                ? "jsonFirst is not a boolean"
                       : claimed && !j->archive->json_first ? "jsonFirst is claimed, and "
                                                              "documents follow other "
                                                              "entries"
                                                            : "jsonFirst is what it says";
    say_text(j, "OZX-12", "MUST", !odd && (!claimed || j->archive->json_first), what);
}

static void judge_content(const judging *j, const ngff_json *comment,
                          const ngff_json *ome) {
    static const char *const known[] = {"version", "zipFile"};
    const char *name = NULL;
    bool strange = ngff_json_len(comment) > (ome != NULL);
    (void)ngff_copy_text(j->text, TEXT_MAX,
                         strange ? "the comment has members beside \"ome\""
                                 : "nothing but hints about the archive");
    for (size_t i = 0; i < ngff_json_len(ome) && !strange; i++) {
        (void)ngff_json_member(ome, i, &name);
        strange = strcmp(name, known[0]) != 0 && strcmp(name, known[1]) != 0;
        if (strange)
            snprintf(j->text, TEXT_MAX, "the comment holds \"%.100s\"", name);
    }
    say(j, "OZX-13", "SHOULD", !strange);
}

static void judge_comment(const judging *j) {
    ngff_json *comment = NULL;
    size_t size = j->archive->comment_size;
    if (size > 0 && ngff_json_parse(j->archive->comment, size, NGFF_JSON_STRICT, &comment,
                                    NULL) != NGFF_OK)
        comment = NULL;
    const ngff_json *ome = ngff_json_get(comment, "ome");
    judge_version(j, comment);
    judge_flag(j, ome);
    judge_content(j, ngff_json_type_of(comment) == NGFF_JSON_OBJECT ? comment : NULL,
                  ngff_json_type_of(ome) == NGFF_JSON_OBJECT ? ome : NULL);
    ngff_json_close(&comment);
}

/* ---- all ---- */

static ngff_status judge(judging *j) {
    int format = 3;
    ngff_zarr_kind kind;
    ngff_json *attributes = NULL;
    if (ngff_zarr_node(j->store, "", &format, &kind, &attributes, NULL) != NGFF_OK)
        ngff_json_close(&attributes);
    j->version =
        ngff_json_str(ngff_json_get(ngff_json_get(attributes, "ome"), "version"));
    judge_root(j, attributes, format);
    judge_place(j);
    judge_entries(j);
    ngff_status status = judge_arrays(j);
    judge_order(j);
    bool named = ngff_ends_with(j->store->location, ".ozx");
    say_text(j, "OZX-10", "SHOULD", named,
             named ? "the name ends with .ozx" : "the name does not end with .ozx");
    judge_comment(j);
    if (j->archive->duplicates)
        say_text(j, "ZIP-names", "SHOULD", false,
                 "a name is given twice; the last entry counts");
    ngff_json_close(&attributes);
    return status;
}

ngff_status ngff_image_judge_ozx(ngff_store *store, ngff_finding_fn fn, void *user,
                                 ngff_error *err) {
    char text[TEXT_MAX];
    judging j = {.store = store, .fn = fn, .user = user, .err = err, .text = text};
    j.archive = ngff_store_archive_of(store);
    if (!j.archive)
        return ngff_fail(err, NGFF_UNSUPPORTED, "%s: not an archive that is read",
                         store->location);
    ngff_buf_init(&j.todo, store->alloc, SIZE_MAX);
    ngff_status status = judge(&j);
    ngff_buf_reset(&j.todo);
    return status;
}
