#include "api/handles.h"

ngff_status ngff_api_import(void *to, size_t to_size, const void *from, const char *what,
                            ngff_error *err) {
    memset(to, 0, to_size);
    if (from != NULL) {
        size_t size = 0;
        memcpy(&size, from, sizeof size);
        if (size < sizeof size)
            return ngff_fail(
                err, NGFF_INVALID,
                "%s: struct_size is %zu; make the struct with its _INIT macro", what,
                size);
        memcpy(to, from, size < to_size ? size : to_size);
    }
    memcpy(to, &to_size, sizeof to_size);
    return NGFF_OK;
}

void ngff_api_log(const ngff_context *context, const char *line) {
    if (context->opts.log != NULL && line[0] != '\0')
        context->opts.log(context->opts.log_user, line);
}

ngff_status ngff_context_create(const ngff_context_opts *opts, ngff_context **context,
                                ngff_error *err) {
    ngff_context_opts o;

    ngff_error_clear(err);
    if (context == NULL)
        return ngff_fail(err, NGFF_INVALID, "context is NULL");
    *context = NULL;
    NGFF_TRY(ngff_api_import(&o, sizeof o, opts, "ngff_context_opts", err));
    if ((o.alloc == NULL) != (o.release == NULL))
        return ngff_fail(err, NGFF_INVALID, "alloc and release must be given together");
    if (o.threads < 0 || o.threads > 1024)
        return ngff_fail(err, NGFF_INVALID, "threads is %d, expected 0 to 1024",
                         (int)o.threads);

    ngff_allocator allocator = {o.alloc, o.release, o.alloc_user};
    const ngff_allocator *alloc = o.alloc != NULL ? &allocator : NULL;
    ngff_context *c = ngff_calloc(alloc, 1, sizeof *c);
    if (c == NULL)
        return ngff_fail_nomem(err, "context", sizeof *c);
    c->opts = o;
    c->allocator = allocator;
    c->alloc = alloc != NULL ? &c->allocator : NULL;
    *context = c;
    return NGFF_OK;
}

void ngff_context_close(ngff_context **context) {
    if (context == NULL || *context == NULL)
        return;
    ngff_allocator allocator = (*context)->allocator;
    bool own = (*context)->alloc != NULL;
    ngff_free(own ? &allocator : NULL, *context);
    *context = NULL;
}
