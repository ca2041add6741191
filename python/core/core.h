/* ngff._core: the C half of the Python package, on the limited API of Python 3.11.
 *
 * Wraps the public C API one to one; everything that is policy is Python (python/ngff).
 * Each Python object owns one handle and a reference to what the handle needs alive. The
 * GIL is released around every call that computes, reads or writes; callbacks take it.
 * Module state is static: the module refuses to load into a subinterpreter. */
#ifndef NGFF_PYTHON_CORE_H
#define NGFF_PYTHON_CORE_H

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <ngff/ngff.h>

/* The slots of the Python API keep functions in void pointers, which ISO C does not know.
 */
#pragma GCC diagnostic ignored "-Wpedantic"

/* The first exception a callback raised on a worker thread; touched with the GIL only. */
typedef struct py_pending {
    PyObject *type, *value, *trace;
} py_pending;

typedef struct py_context {
    PyObject_HEAD ngff_context *handle;
} py_context;

typedef struct py_store {
    PyObject_HEAD ngff_store *handle;
    py_context *context;
    PyObject *target;      /* the callback object, the two halves of a pair, or NULL */
    struct py_store *pair; /* borrowed: that this one is half of and that it fails in */
    PyObject *path;        /* for error messages; never NULL */
    int busy;              /* calls that use the handle now; close refuses */
    py_pending pending;
} py_store;

typedef struct py_source {
    PyObject_HEAD ngff_source *handle;
    py_context *context;
    PyObject *reader; /* the callable, or NULL */
    Py_buffer buffer; /* of an array source; buffer.obj NULL otherwise */
    int busy;
    py_pending pending;
} py_source;

typedef struct py_image {
    PyObject_HEAD ngff_multiscales *handle;
    py_context *context;
    py_store *store; /* NULL: planned */
} py_image;

/* Pixels of the caller's and where they belong. */
typedef struct py_region {
    ngff_box box;
    ngff_view view;
    Py_buffer buffer;
} py_region;

/* What a job tells while it runs, and whether it shall stop. */
typedef struct py_progress {
    PyObject *callable;                   /* or NULL */
    const volatile unsigned char *cancel; /* one byte the caller sets, or NULL */
    py_pending pending;
} py_progress;

extern PyObject *ngff_py_context_type, *ngff_py_store_type, *ngff_py_source_type,
    *ngff_py_image_type, *ngff_py_writer_type;

/* Each makes one type (a new reference), or NULL with an exception. */
PyObject *ngff_py_make_context_type(void);
PyObject *ngff_py_make_store_type(void);
PyObject *ngff_py_make_source_type(void);
PyObject *ngff_py_make_image_type(void);
PyObject *ngff_py_make_writer_type(void);

/* Module functions (METH_VARARGS). */
PyObject *ngff_py_open_store(PyObject *module, PyObject *args);
PyObject *ngff_py_callback_store(PyObject *module, PyObject *args);
PyObject *ngff_py_pair_store(PyObject *module, PyObject *args);
PyObject *ngff_py_below_store(PyObject *module, PyObject *args);
PyObject *ngff_py_copy_store(PyObject *module, PyObject *args);
PyObject *ngff_py_put_directory(PyObject *module, PyObject *args);
PyObject *ngff_py_upgrade(PyObject *module, PyObject *args);
PyObject *ngff_py_array_source(PyObject *module, PyObject *args);
PyObject *ngff_py_callback_source(PyObject *module, PyObject *args);
PyObject *ngff_py_file_source(PyObject *module, PyObject *args);
PyObject *ngff_py_file_series(PyObject *module, PyObject *args);
PyObject *ngff_py_plan(PyObject *module, PyObject *args);
PyObject *ngff_py_open_image(PyObject *module, PyObject *args);
PyObject *ngff_py_write(PyObject *module, PyObject *args);
PyObject *ngff_py_write_plan(PyObject *module, PyObject *args);
PyObject *ngff_py_write_reads(PyObject *module, PyObject *args);
PyObject *ngff_py_write_metadata(PyObject *module, PyObject *args);
PyObject *ngff_py_write_levels(PyObject *module, PyObject *args);
PyObject *ngff_py_open_writer(PyObject *module, PyObject *args);
PyObject *ngff_py_join_writer(PyObject *module, PyObject *args);

/* Raises what a status means (ngff._errors.make); `path` may be NULL. Answers NULL. */
PyObject *ngff_py_raise(ngff_status status, const ngff_error *err, PyObject *path);
/* Raises the pending exception when there is one: 1, else 0. Clears it. */
int ngff_py_raise_pending(py_pending *pending);
/* Moves the current exception into `pending` unless it holds one already. */
void ngff_py_keep_pending(py_pending *pending);
void ngff_py_drop_pending(py_pending *pending);
/* Frees the object itself and drops its heap type. */
void ngff_py_free_self(PyObject *self);

/* Conversions: 0, or -1 with an exception. `channels` is PyMem_Free'd by the caller. */
int ngff_py_desc(PyObject *tuple, ngff_image_desc *desc, ngff_channel **channels);
int ngff_py_write_options(PyObject *options, ngff_write_opts *opts);
/* ngff_progress_fn over a py_progress. */
int ngff_py_on_progress(void *user, const ngff_progress *progress);
int ngff_py_extents(PyObject *sequence, int64_t *out, int32_t *count);
PyObject *ngff_py_tuple(const int64_t *values, int32_t count);
/* A new dict; a new tuple as ngff_py_desc takes it. NULL with an exception. */
PyObject *ngff_py_level(const ngff_level_info *info, int32_t ndim);
PyObject *ngff_py_describe(const ngff_image_desc *desc);
/* target.name(*arguments): `format` is that of a tuple, "(…)". The name is looked up as
 * the interned string that the type has, so that a call leaves nothing in the cache of
 * methods. */
PyObject *ngff_py_call(PyObject *target, const char *name, const char *format, ...);
PyObject *ngff_py_float_tuple(const double *values, int32_t count);
/* A view of `buffer` as elements of `dtype`; -1 when sizes do not fit. */
int ngff_py_view(const Py_buffer *buffer, int32_t dtype, ngff_view *view);
/* The box that `pixels` is, from `start` on: 0, and the caller releases r->buffer, or -1
 * with an exception. */
int ngff_py_region(PyObject *start, PyObject *pixels, int32_t dtype, int flags,
                   py_region *r);
/* Copies element by element or row by row; shapes and element sizes are equal. */
void ngff_py_copy_view(const ngff_view *to, const ngff_view *from);

#endif
