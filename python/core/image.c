/* Image objects: planned levels, or an image opened from a store. */
#include "core.h"

static PyObject *image_new(PyObject *context, PyObject *store, ngff_multiscales *handle) {
    py_image *self = PyObject_New(py_image, (PyTypeObject *)ngff_py_image_type);
    if (!self) {
        ngff_multiscales_close(&handle);
        return NULL;
    }
    self->handle = handle;
    self->context = (py_context *)Py_NewRef(context);
    self->store = (py_store *)Py_XNewRef(store);
    if (self->store)
        self->store->busy++; /* an opened image reads from it */
    return (PyObject *)self;
}

/* None: automatic; a list of rows: absolute factors; an empty list: level 0 only. */
static int factors_of(PyObject *list, ngff_plan_opts *opts,
                      int64_t (**rows)[NGFF_MAX_NDIM]) {
    *rows = NULL;
    if (list == Py_None)
        return 0;
    Py_ssize_t count = PySequence_Size(list);
    if (count < 0)
        return -1;
    opts->scale_factor_count = count ? (int32_t)count : -1;
    if (count == 0)
        return 0;
    *rows = PyMem_Calloc((size_t)count, sizeof **rows);
    if (!*rows)
        return PyErr_NoMemory(), -1;
    opts->scale_factors = (const int64_t(*)[NGFF_MAX_NDIM]) * rows;
    for (Py_ssize_t i = 0; i < count; i++) {
        int32_t n;
        PyObject *row = PySequence_GetItem(list, i);
        int bad = row ? ngff_py_extents(row, (*rows)[i], &n) : -1;
        Py_XDECREF(row);
        if (bad)
            return -1;
    }
    return 0;
}

PyObject *ngff_py_plan(PyObject *module, PyObject *args) {
    PyObject *context, *tuple, *factors, *chunks, *shards;
    ngff_plan_opts opts = NGFF_PLAN_OPTS_INIT;
    ngff_image_desc desc;
    ngff_channel *channels = NULL;
    int64_t(*rows)[NGFF_MAX_NDIM] = NULL;
    ngff_multiscales *handle = NULL;
    ngff_error err = {0};
    int32_t n;
    long long min_size;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!zOLOO", ngff_py_context_type, &context,
                          &PyTuple_Type, &tuple, &opts.method, &factors, &min_size,
                          &chunks, &shards) ||
        ngff_py_extents(chunks, opts.chunks, &n) ||
        ngff_py_extents(shards, opts.chunks_per_shard, &n) ||
        ngff_py_desc(tuple, &desc, &channels))
        return NULL;
    opts.min_size = min_size;
    PyObject *image = NULL;
    if (factors_of(factors, &opts, &rows) == 0) {
        ngff_status status = ngff_multiscales_plan(((py_context *)context)->handle, &desc,
                                                   &opts, &handle, &err);
        image = status == NGFF_OK ? image_new(context, NULL, handle)
                                  : ngff_py_raise(status, &err, NULL);
    }
    PyMem_Free(rows);
    PyMem_Free(channels);
    return image;
}

PyObject *ngff_py_open_image(PyObject *module, PyObject *args) {
    PyObject *context;
    py_store *store;
    ngff_multiscales *handle = NULL;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", ngff_py_context_type, &context,
                          ngff_py_store_type, &store))
        return NULL;
    if (!store->handle)
        return PyErr_SetString(PyExc_ValueError, "the store is closed"), NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_open(((py_context *)context)->handle, store->handle, &handle, &err);
    Py_END_ALLOW_THREADS;
    if (ngff_py_raise_pending(&store->pending)) {
        ngff_multiscales_close(&handle);
        return NULL;
    }
    return status == NGFF_OK ? image_new(context, (PyObject *)store, handle)
                             : ngff_py_raise(status, &err, store->path);
}

/* ---- methods ---- */

static PyObject *image_level_count(PyObject *object, PyObject *none) {
    (void)none;
    return PyLong_FromLong(ngff_multiscales_level_count(((py_image *)object)->handle));
}

static PyObject *image_level(PyObject *object, PyObject *args) {
    py_image *self = (py_image *)object;
    ngff_level_info info = NGFF_LEVEL_INFO_INIT;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_error err = {0};
    int level;
    if (!PyArg_ParseTuple(args, "i", &level))
        return NULL;
    ngff_status status = ngff_multiscales_image(self->handle, &desc, &err);
    if (status == NGFF_OK)
        status = ngff_multiscales_level(self->handle, level, &info, &err);
    if (status != NGFF_OK)
        return ngff_py_raise(status, &err, NULL);
    return ngff_py_level(&info, desc.ndim);
}

static PyObject *image_describe(PyObject *object, PyObject *none) {
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    ngff_error err = {0};
    (void)none;
    ngff_status status =
        ngff_multiscales_image(((py_image *)object)->handle, &desc, &err);
    if (status != NGFF_OK)
        return ngff_py_raise(status, &err, NULL);
    return ngff_py_describe(&desc);
}

static PyObject *image_facts(PyObject *object, PyObject *none) {
    (void)none;
    return PyUnicode_FromString(ngff_multiscales_facts(((py_image *)object)->handle));
}

/* read_region(level, start, out): fills the buffer `out`. */
static PyObject *image_read_region(PyObject *object, PyObject *args) {
    py_image *self = (py_image *)object;
    PyObject *start, *target;
    ngff_image_desc desc = NGFF_IMAGE_DESC_INIT;
    py_region r;
    ngff_error err = {0};
    int level;
    if (!PyArg_ParseTuple(args, "iOO", &level, &start, &target))
        return NULL;
    ngff_status status = ngff_multiscales_image(self->handle, &desc, &err);
    if (status != NGFF_OK)
        return ngff_py_raise(status, &err, NULL);
    if (ngff_py_region(start, target, desc.dtype, PyBUF_STRIDED, &r))
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_read_region(self->handle, level, &r.box, &r.view, &err);
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&r.buffer);
    if (self->store && ngff_py_raise_pending(&self->store->pending))
        return NULL;
    return status == NGFF_OK
               ? Py_NewRef(Py_None)
               : ngff_py_raise(status, &err, self->store ? self->store->path : NULL);
}

static void image_dealloc(PyObject *object) {
    py_image *self = (py_image *)object;
    ngff_multiscales_close(&self->handle);
    if (self->store)
        self->store->busy--;
    Py_CLEAR(self->store);
    Py_CLEAR(self->context);
    ngff_py_free_self(object);
}

PyObject *ngff_py_make_image_type(void) {
    static PyMethodDef methods[] = {
        {"level_count", image_level_count, METH_NOARGS, "() -> int"},
        {"level", image_level, METH_VARARGS, "(index) -> dict"},
        {"describe", image_describe, METH_NOARGS, "() -> description"},
        {"facts", image_facts, METH_NOARGS, "() -> JSON text"},
        {"read_region", image_read_region, METH_VARARGS, "(level, start, out)"},
        {NULL, NULL, 0, NULL}};
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, image_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
    static PyType_Spec spec = {"ngff._core.Image", sizeof(py_image), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               slots};
    return PyType_FromSpec(&spec);
}
