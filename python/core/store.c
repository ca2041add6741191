/* Store objects: a location, or a Python object with get, size, put, erase and list. */
#include "core.h"

#include <string.h>

static py_store *store_new(py_context *context, PyObject *path) {
    py_store *self = PyObject_New(py_store, (PyTypeObject *)ngff_py_store_type);
    if (!self)
        return NULL;
    self->handle = NULL;
    self->target = NULL;
    self->pair = NULL;
    self->busy = 0;
    self->pending = (py_pending){NULL, NULL, NULL};
    self->context = (py_context *)Py_NewRef((PyObject *)context);
    self->path = Py_NewRef(path);
    return self;
}

PyObject *ngff_py_open_store(PyObject *module, PyObject *args) {
    PyObject *context, *path;
    ngff_store_opts opts = NGFF_STORE_OPTS_INIT;
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!Uiii", ngff_py_context_type, &context, &path,
                          &opts.access, &opts.overwrite, &opts.durability))
        return NULL;
    Py_ssize_t length;
    const char *location = PyUnicode_AsUTF8AndSize(path, &length);
    if (!location)
        return NULL;
    if (strlen(location) != (size_t)length)
        return PyErr_SetString(PyExc_ValueError, "embedded null character in path"), NULL;
    py_store *self = store_new((py_context *)context, path);
    if (!self)
        return NULL;
    ngff_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_store_open(self->context->handle, location, &opts, &self->handle, &err);
    Py_END_ALLOW_THREADS;
    if (status == NGFF_OK)
        return (PyObject *)self;
    ngff_py_raise(status, &err, path);
    Py_DECREF(self);
    return NULL;
}

/* ---- callbacks; each takes the GIL ---- */

static ngff_status failed(py_store *self, const char *what, ngff_error *err) {
    ngff_py_keep_pending(self->pair ? &self->pair->pending : &self->pending);
    if (err) {
        *err = (ngff_error){.status = NGFF_IO, .origin = NGFF_ORIGIN_NONE};
        memcpy(err->message, what, strlen(what) + 1);
    }
    return NGFF_IO;
}

static ngff_status missing(ngff_error *err) {
    static const char text[] = "no such key";
    if (err) {
        *err = (ngff_error){.status = NGFF_NOT_FOUND, .origin = NGFF_ORIGIN_NONE};
        memcpy(err->message, text, sizeof text);
    }
    return NGFF_NOT_FOUND;
}

static ngff_status take_bytes(PyObject *value, uint64_t size, void *out, uint64_t *got) {
    Py_buffer view;
    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return NGFF_IO;
    uint64_t have = (uint64_t)view.len < size ? (uint64_t)view.len : size;
    if (have)
        memcpy(out, view.buf, (size_t)have);
    *got = have;
    PyBuffer_Release(&view);
    return NGFF_OK;
}

static ngff_status op_get(void *cookie, const char *key, uint64_t offset, uint64_t size,
                          void *out, uint64_t *got, ngff_error *err) {
    py_store *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *value = ngff_py_call(self->target, "get", "(sKK)", key,
                                   (unsigned long long)offset, (unsigned long long)size);
    ngff_status status = NGFF_OK;
    if (value == Py_None)
        status = missing(err);
    else if (!value || take_bytes(value, size, out, got) != NGFF_OK)
        status = failed(self, "the store's get failed", err);
    Py_XDECREF(value);
    PyGILState_Release(gil);
    return status;
}

static ngff_status op_size(void *cookie, const char *key, uint64_t *size,
                           ngff_error *err) {
    py_store *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *value = ngff_py_call(self->target, "size", "(s)", key);
    ngff_status status = NGFF_OK;
    if (value == Py_None)
        status = missing(err);
    else if (value)
        *size = PyLong_AsUnsignedLongLong(value);
    if (PyErr_Occurred())
        status = failed(self, "the store's size failed", err);
    Py_XDECREF(value);
    PyGILState_Release(gil);
    return status;
}

static ngff_status op_put(void *cookie, const char *key, const void *data, uint64_t size,
                          ngff_error *err) {
    py_store *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *value = ngff_py_call(self->target, "put", "(sy#)", key, (const char *)data,
                                   (Py_ssize_t)size);
    ngff_status status = value ? NGFF_OK : failed(self, "the store's put failed", err);
    Py_XDECREF(value);
    PyGILState_Release(gil);
    return status;
}

static ngff_status op_erase(void *cookie, const char *key, ngff_error *err) {
    py_store *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *value = ngff_py_call(self->target, "erase", "(s)", key);
    ngff_status status = value ? NGFF_OK : failed(self, "the store's erase failed", err);
    Py_XDECREF(value);
    PyGILState_Release(gil);
    return status;
}

static ngff_status op_list(void *cookie, const char *prefix,
                           ngff_status (*fn)(void *user, const char *key), void *user,
                           ngff_error *err) {
    py_store *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *keys = ngff_py_call(self->target, "list", "(s)", prefix);
    ngff_status status = NGFF_OK;
    Py_ssize_t count = keys ? PySequence_Size(keys) : -1;
    for (Py_ssize_t i = 0; status == NGFF_OK && i < count; i++) {
        PyObject *key = PySequence_GetItem(keys, i);
        const char *text = key ? PyUnicode_AsUTF8AndSize(key, NULL) : NULL;
        if (text)
            status = fn(user, text);
        Py_XDECREF(key);
        if (!text)
            break;
    }
    if (PyErr_Occurred())
        status = failed(self, "the store's list failed", err);
    Py_XDECREF(keys);
    PyGILState_Release(gil);
    return status;
}

PyObject *ngff_py_callback_store(PyObject *module, PyObject *args) {
    PyObject *context, *target;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O", ngff_py_context_type, &context, &target))
        return NULL;
    PyObject *path = PyObject_Repr(target);
    py_store *self = path ? store_new((py_context *)context, path) : NULL;
    Py_XDECREF(path);
    if (!self)
        return NULL;
    self->target = Py_NewRef(target);
    ngff_store_ops ops = {sizeof ops, op_get, op_size, op_put, op_erase, op_list, NULL};
    ngff_error err = {0};
    ngff_status status =
        ngff_store_from_ops(self->context->handle, &ops, self, &self->handle, &err);
    if (status == NGFF_OK)
        return (PyObject *)self;
    ngff_py_raise(status, &err, self->path);
    Py_DECREF(self);
    return NULL;
}

/* A pair keeps its halves alive; they are closed when it is, if nobody else has them. */
PyObject *ngff_py_pair_store(PyObject *module, PyObject *args) {
    PyObject *context;
    py_store *metadata, *chunks;
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!", ngff_py_context_type, &context,
                          ngff_py_store_type, &metadata, ngff_py_store_type, &chunks))
        return NULL;
    if (!metadata->handle || !chunks->handle)
        return PyErr_SetString(PyExc_ValueError, "the store is closed"), NULL;
    py_store *self = store_new((py_context *)context, metadata->path);
    if (!self)
        return NULL;
    self->target = PyTuple_Pack(2, (PyObject *)metadata, (PyObject *)chunks);
    if (!self->target)
        return Py_DECREF(self), NULL;
    metadata->pair = chunks->pair = self;
    ngff_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_store_pair(self->context->handle, metadata->handle, chunks->handle,
                             &self->handle, &err);
    Py_END_ALLOW_THREADS;
    if (status == NGFF_OK)
        return (PyObject *)self;
    if (!ngff_py_raise_pending(&self->pending))
        ngff_py_raise(status, &err, self->path);
    Py_DECREF(self);
    return NULL;
}

/* Keeps the store that it is a part of. */
PyObject *ngff_py_below_store(PyObject *module, PyObject *args) {
    PyObject *context;
    py_store *whole;
    const char *path;
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!s", ngff_py_context_type, &context,
                          ngff_py_store_type, &whole, &path))
        return NULL;
    if (!whole->handle)
        return PyErr_SetString(PyExc_ValueError, "the store is closed"), NULL;
    py_store *self = store_new((py_context *)context, whole->path);
    if (!self)
        return NULL;
    self->target = Py_NewRef((PyObject *)whole);
    whole->busy++;
    ngff_status status =
        ngff_store_below(self->context->handle, whole->handle, path, &self->handle, &err);
    if (status == NGFF_OK)
        return (PyObject *)self;
    ngff_py_raise(status, &err, self->path);
    Py_DECREF(self);
    return NULL;
}

/* The halves of a pair that is gone fail for themselves again; a whole may be closed
 * again when no part of it is in use. */
static void let_go(py_store *self) {
    if (self->target && Py_TYPE(self->target) == (PyTypeObject *)ngff_py_store_type)
        ((py_store *)self->target)->busy--;
    if (self->target && PyTuple_Check(self->target)) {
        for (Py_ssize_t i = 0; i < PyTuple_Size(self->target); i++) {
            PyObject *half = PyTuple_GetItem(self->target, i);
            if (Py_TYPE(half) == (PyTypeObject *)ngff_py_store_type)
                ((py_store *)half)->pair = NULL;
        }
    }
    Py_CLEAR(self->target);
}

PyObject *ngff_py_copy_store(PyObject *module, PyObject *args) {
    py_store *from, *to;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", ngff_py_store_type, &from, ngff_py_store_type,
                          &to))
        return NULL;
    if (!from->handle || !to->handle)
        return PyErr_SetString(PyExc_ValueError, "the store is closed"), NULL;
    from->busy++, to->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_store_copy(from->handle, to->handle, NULL, &err);
    Py_END_ALLOW_THREADS;
    from->busy--, to->busy--;
    if (ngff_py_raise_pending(&from->pending) || ngff_py_raise_pending(&to->pending))
        return NULL;
    return status == NGFF_OK ? Py_NewRef(Py_None) : ngff_py_raise(status, &err, to->path);
}

PyObject *ngff_py_put_directory(PyObject *module, PyObject *args) {
    PyObject *from, *to;
    int replace;
    int32_t replaced;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "UUp", &from, &to, &replace))
        return NULL;
    const char *old_name = PyUnicode_AsUTF8AndSize(from, NULL);
    const char *new_name = old_name ? PyUnicode_AsUTF8AndSize(to, NULL) : NULL;
    if (!new_name)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_directory_put(old_name, new_name, replace, &replaced, &err);
    Py_END_ALLOW_THREADS;
    return status == NGFF_OK ? PyBool_FromLong(replaced)
                             : ngff_py_raise(status, &err, to);
}

/* ---- methods ---- */

static PyObject *store_get_value(PyObject *object, PyObject *args) {
    py_store *self = (py_store *)object;
    const char *key;
    ngff_error err = {0};
    if (!PyArg_ParseTuple(args, "s", &key))
        return NULL;
    if (!self->handle)
        return PyErr_SetString(PyExc_ValueError, "the store is closed"), NULL;
    for (size_t capacity = 65536; capacity <= ((size_t)1 << 31); capacity *= 16) {
        char *block = PyMem_Malloc(capacity);
        size_t size = 0;
        ngff_status status;
        if (!block)
            return PyErr_NoMemory();
        Py_BEGIN_ALLOW_THREADS;
        status = ngff_store_get_value(self->handle, key, block, capacity, &size, &err);
        Py_END_ALLOW_THREADS;
        PyObject *value =
            status == NGFF_OK ? PyBytes_FromStringAndSize(block, (Py_ssize_t)size) : NULL;
        PyMem_Free(block);
        if (status == NGFF_OK || ngff_py_raise_pending(&self->pending))
            return value;
        if (status != NGFF_LIMIT)
            return ngff_py_raise(status, &err, self->path);
    }
    return ngff_py_raise(NGFF_LIMIT, &err, self->path);
}

static PyObject *store_target(PyObject *object, PyObject *none) {
    PyObject *target = ((py_store *)object)->target;
    (void)none;
    return Py_NewRef(target ? target : Py_None);
}

static PyObject *store_close(PyObject *object, PyObject *none) {
    py_store *self = (py_store *)object;
    ngff_store *handle = self->handle;
    (void)none;
    if (self->busy)
        return PyErr_SetString(PyExc_RuntimeError, "the store is in use"), NULL;
    self->handle = NULL;
    Py_BEGIN_ALLOW_THREADS;
    ngff_store_close(&handle);
    Py_END_ALLOW_THREADS;
    let_go(self);
    return Py_NewRef(Py_None);
}

static void store_dealloc(PyObject *object) {
    py_store *self = (py_store *)object;
    ngff_store *handle = self->handle;
    Py_BEGIN_ALLOW_THREADS;
    ngff_store_close(&handle);
    Py_END_ALLOW_THREADS;
    ngff_py_drop_pending(&self->pending);
    let_go(self);
    Py_CLEAR(self->path);
    Py_CLEAR(self->context);
    ngff_py_free_self(object);
}

PyObject *ngff_py_make_store_type(void) {
    static PyMethodDef methods[] = {
        {"get_value", store_get_value, METH_VARARGS, "(key) -> bytes"},
        {"target", store_target, METH_NOARGS, "() -> the Python object, or None"},
        {"close", store_close, METH_NOARGS, "drops what is not published"},
        {NULL, NULL, 0, NULL}};
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, store_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
    static PyType_Spec spec = {"ngff._core.Store", sizeof(py_store), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               slots};
    return PyType_FromSpec(&spec);
}
