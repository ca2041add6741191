/* Writing by regions: documents first, regions from any process, levels at the end. */
#include "core.h"

typedef struct py_writer {
    PyObject_HEAD ngff_writer *handle;
    py_context *context;
    py_store *store;
    int busy;         /* calls that use the handle now */
    int alone;        /* one of them must be the only one of its kind */
    PyObject *called; /* the progress callable, or NULL */
    Py_buffer cancel; /* .obj NULL: cannot be cancelled */
    py_progress progress;
} py_writer;

static ngff_context *context_of(PyObject *context) {
    return ((py_context *)context)->handle;
}

static int check_open(const py_store *store) {
    if (store->handle)
        return 0;
    PyErr_SetString(PyExc_ValueError, "the store is closed");
    return -1;
}

/* Raises what a call on `store` answered; None when it went well. */
static PyObject *outcome(py_store *store, ngff_status status, const ngff_error *err) {
    if (ngff_py_raise_pending(&store->pending))
        return NULL;
    return status == NGFF_OK ? Py_NewRef(Py_None)
                             : ngff_py_raise(status, err, store->path);
}

/* (context, store, image, options): documents of an image that holds the fill value. */
PyObject *ngff_py_write_metadata(PyObject *module, PyObject *args) {
    PyObject *context, *options;
    py_store *store;
    py_image *image;
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!", ngff_py_context_type, &context,
                          ngff_py_store_type, &store, ngff_py_image_type, &image,
                          &PyDict_Type, &options) ||
        ngff_py_write_options(options, &opts) || check_open(store))
        return NULL;
    store->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_write_metadata(context_of(context), store->handle, image->handle, &opts,
                                 &err);
    Py_END_ALLOW_THREADS;
    store->busy--;
    return outcome(store, status, &err);
}

/* (context, store, image, start_level, options): levels out of those that are stored. */
PyObject *ngff_py_write_levels(PyObject *module, PyObject *args) {
    PyObject *context, *options;
    py_store *store;
    py_image *image;
    int start;
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!iO!", ngff_py_context_type, &context,
                          ngff_py_store_type, &store, ngff_py_image_type, &image, &start,
                          &PyDict_Type, &options) ||
        ngff_py_write_options(options, &opts) || check_open(store))
        return NULL;
    store->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_write_levels(context_of(context), store->handle, image->handle, start,
                               &opts, NULL, &err);
    Py_END_ALLOW_THREADS;
    store->busy--;
    return outcome(store, status, &err);
}

/* (context, store, version): the store in place by its documents alone. */
PyObject *ngff_py_upgrade(PyObject *module, PyObject *args) {
    PyObject *context;
    py_store *store;
    const char *version;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!s", ngff_py_context_type, &context,
                          ngff_py_store_type, &store, &version) ||
        check_open(store))
        return NULL;
    store->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_upgrade(context_of(context), store->handle, version, &err);
    Py_END_ALLOW_THREADS;
    store->busy--;
    return outcome(store, status, &err);
}

/* ---- writers ---- */

static py_writer *writer_new(PyObject *context, py_store *store) {
    py_writer *self = PyObject_New(py_writer, (PyTypeObject *)ngff_py_writer_type);
    if (!self)
        return NULL;
    self->handle = NULL;
    self->busy = self->alone = 0;
    self->called = NULL;
    self->cancel.obj = NULL;
    self->progress = (py_progress){NULL, NULL, {NULL, NULL, NULL}};
    self->context = (py_context *)Py_NewRef(context);
    self->store = (py_store *)Py_NewRef((PyObject *)store);
    store->busy++;
    return self;
}

static PyObject *writer_done(py_writer *self, ngff_status status, const ngff_error *err) {
    if (!ngff_py_raise_pending(&self->store->pending)) {
        if (status == NGFF_OK)
            return (PyObject *)self;
        ngff_py_raise(status, err, self->store->path);
    }
    Py_DECREF(self);
    return NULL;
}

/* Keeps what the job calls while it runs. */
static int writer_watch(py_writer *self, PyObject *progress, PyObject *cancel,
                        ngff_write_opts *write) {
    if (cancel != Py_None && PyObject_GetBuffer(cancel, &self->cancel, PyBUF_SIMPLE) < 0)
        return -1;
    if (progress != Py_None)
        self->called = Py_NewRef(progress);
    self->progress.callable = self->called;
    self->progress.cancel = cancel == Py_None ? NULL : self->cancel.buf;
    write->progress = ngff_py_on_progress;
    write->progress_user = &self->progress;
    return 0;
}

/* (context, store, image, options, (start_level, append, no_wait, live), progress,
 * cancel)
 * -> Writer of a new image */
PyObject *ngff_py_open_writer(PyObject *module, PyObject *args) {
    PyObject *context, *options, *progress, *cancel;
    py_store *store;
    py_image *image;
    ngff_write_opts write = NGFF_WRITE_OPTS_INIT;
    ngff_writer_opts opts = NGFF_WRITER_OPTS_INIT;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!(iiii)OO", ngff_py_context_type, &context,
                          ngff_py_store_type, &store, ngff_py_image_type, &image,
                          &PyDict_Type, &options, &opts.start_level, &opts.append,
                          &opts.no_wait, &opts.live, &progress, &cancel) ||
        ngff_py_write_options(options, &write) || check_open(store))
        return NULL;
    py_writer *self = writer_new(context, store);
    if (!self)
        return NULL;
    if (writer_watch(self, progress, cancel, &write))
        return Py_DECREF(self), NULL;
    opts.write = &write;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_writer_open(self->context->handle, store->handle, image->handle, &opts,
                              &self->handle, &err);
    Py_END_ALLOW_THREADS;
    return writer_done(self, status, &err);
}

/* (context, store) -> Writer of regions of the image that the store holds */
PyObject *ngff_py_join_writer(PyObject *module, PyObject *args) {
    PyObject *context;
    py_store *store;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", ngff_py_context_type, &context,
                          ngff_py_store_type, &store) ||
        check_open(store))
        return NULL;
    py_writer *self = writer_new(context, store);
    if (!self)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status =
        ngff_writer_join(self->context->handle, store->handle, NULL, &self->handle, &err);
    Py_END_ALLOW_THREADS;
    return writer_done(self, status, &err);
}

static int check_writer(const py_writer *self) {
    if (self->handle)
        return 0;
    PyErr_SetString(PyExc_ValueError, "the writer is closed");
    return -1;
}

/* As `outcome`, also what the progress callable raised. */
static PyObject *answer(py_writer *self, ngff_status status, const ngff_error *err) {
    if (!ngff_py_raise_pending(&self->progress.pending))
        return outcome(self->store, status, err);
    ngff_py_drop_pending(&self->store->pending);
    return NULL;
}

/* write_region(level, start, dtype, pixels) */
static PyObject *writer_write_region(PyObject *object, PyObject *args) {
    py_writer *self = (py_writer *)object;
    PyObject *start, *pixels;
    const char *dtype;
    py_region r;
    ngff_error err = {0};
    ngff_status status;
    int level;
    if (!PyArg_ParseTuple(args, "iOsO", &level, &start, &dtype, &pixels) ||
        check_writer(self) ||
        ngff_py_region(start, pixels, ngff_dtype_parse(dtype), PyBUF_STRIDED_RO, &r))
        return NULL;
    self->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_writer_write_region(self->handle, level, &r.box, &r.view, &err);
    Py_END_ALLOW_THREADS;
    self->busy--;
    PyBuffer_Release(&r.buffer);
    return answer(self, status, &err);
}

/* 0 when nobody else has the writer for itself; `others`: nor uses it at all. */
static int begin_alone(py_writer *self, int others) {
    if (check_writer(self))
        return -1;
    if (self->alone || (others && self->busy)) {
        PyErr_SetString(PyExc_RuntimeError, "the writer is in use by another thread");
        return -1;
    }
    self->alone = 1, self->busy++;
    return 0;
}

static PyObject *end_alone(py_writer *self, ngff_status status, const ngff_error *err) {
    self->alone = 0, self->busy--;
    return answer(self, status, err);
}

/* append(dtype, frames) */
static PyObject *writer_append(PyObject *object, PyObject *args) {
    py_writer *self = (py_writer *)object;
    PyObject *frames;
    const char *dtype;
    Py_buffer buffer;
    ngff_view view;
    ngff_error err = {0};
    ngff_status status;
    if (!PyArg_ParseTuple(args, "sO", &dtype, &frames) || begin_alone(self, 0))
        return NULL;
    if (PyObject_GetBuffer(frames, &buffer, PyBUF_STRIDED_RO) < 0)
        return self->alone = 0, self->busy--, NULL;
    if (ngff_py_view(&buffer, ngff_dtype_parse(dtype), &view)) {
        PyBuffer_Release(&buffer);
        return self->alone = 0, self->busy--, NULL;
    }
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_writer_append(self->handle, &view, &err);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&buffer);
    return end_alone(self, status, &err);
}

static PyObject *writer_flush(PyObject *object, PyObject *none) {
    py_writer *self = (py_writer *)object;
    ngff_error err = {0};
    ngff_status status;
    (void)none;
    if (begin_alone(self, 0))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_writer_flush(self->handle, &err);
    Py_END_ALLOW_THREADS;
    return end_alone(self, status, &err);
}

static int let_go(py_writer *self) {
    ngff_writer *handle = self->handle;
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the writer is in use");
        return -1;
    }
    self->handle = NULL;
    Py_BEGIN_ALLOW_THREADS;
    ngff_writer_close(&handle);
    Py_END_ALLOW_THREADS;
    if (self->store)
        self->store->busy--;
    Py_CLEAR(self->store);
    Py_CLEAR(self->called);
    ngff_py_drop_pending(&self->progress.pending);
    if (self->cancel.obj)
        PyBuffer_Release(&self->cancel);
    self->cancel.obj = NULL;
    return 0;
}

static PyObject *writer_finish(PyObject *object, PyObject *none) {
    py_writer *self = (py_writer *)object;
    ngff_error err = {0};
    ngff_status status;
    (void)none;
    if (begin_alone(self, 1))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_writer_finish(self->handle, NULL, &err);
    Py_END_ALLOW_THREADS;
    return end_alone(self, status, &err);
}

static PyObject *writer_close(PyObject *object, PyObject *none) {
    (void)none;
    return let_go((py_writer *)object) ? NULL : Py_NewRef(Py_None);
}

static void writer_dealloc(PyObject *object) {
    py_writer *self = (py_writer *)object;
    (void)let_go(self);
    Py_CLEAR(self->context);
    ngff_py_free_self(object);
}

PyObject *ngff_py_make_writer_type(void) {
    static PyMethodDef methods[] = {
        {"write_region", writer_write_region, METH_VARARGS,
         "(level, start, dtype, pixels)"},
        {"append", writer_append, METH_VARARGS, "(dtype, frames)"},
        {"flush", writer_flush, METH_NOARGS, "whole chunks of frames are stored"},
        {"finish", writer_finish, METH_NOARGS, "writes the rest and publishes"},
        {"close", writer_close, METH_NOARGS, "drops what is not finished"},
        {NULL, NULL, 0, NULL}};
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, writer_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
    static PyType_Spec spec = {"ngff._core.Writer", sizeof(py_writer), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               slots};
    return PyType_FromSpec(&spec);
}
