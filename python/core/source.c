/* Source objects: borrowed array memory, a Python callable, or a file. */
#include "core.h"

#include <string.h>

static py_source *source_new(PyObject *context) {
    py_source *self = PyObject_New(py_source, (PyTypeObject *)ngff_py_source_type);
    if (!self)
        return NULL;
    self->handle = NULL;
    self->reader = NULL;
    self->busy = 0;
    self->buffer = (Py_buffer){0};
    self->pending = (py_pending){NULL, NULL, NULL};
    self->context = (py_context *)Py_NewRef(context);
    return self;
}

static PyObject *answer(py_source *self, ngff_status status, const ngff_error *err,
                        PyObject *path) {
    if (status == NGFF_OK)
        return (PyObject *)self;
    Py_DECREF(self);
    return ngff_py_raise(status, err, path);
}

PyObject *ngff_py_array_source(PyObject *module, PyObject *args) {
    PyObject *context, *array, *tuple;
    ngff_image_desc desc;
    ngff_channel *channels = NULL;
    ngff_view view;
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO!", ngff_py_context_type, &context, &array,
                          &PyTuple_Type, &tuple) ||
        ngff_py_desc(tuple, &desc, &channels))
        return NULL;
    py_source *self = source_new(context);
    ngff_status status = NGFF_INVALID;
    if (self && PyObject_GetBuffer(array, &self->buffer, PyBUF_STRIDED_RO) == 0 &&
        ngff_py_view(&self->buffer, desc.dtype, &view) == 0)
        status = ngff_source_from_array(self->context->handle, &view, &desc, NULL, NULL,
                                        &self->handle, &err);
    PyMem_Free(channels);
    if (PyErr_Occurred()) {
        Py_XDECREF((PyObject *)self);
        return NULL;
    }
    return answer(self, status, &err, NULL);
}

/* ---- callback sources ---- */

/* Fills `size` bytes at `memory` (C order, native bytes) by reader(start, shape, bytes);
 * the reader must have let go of them when it returns. */
static int call_reader(py_source *self, const ngff_box *box, char *memory, size_t size) {
    PyObject *start = ngff_py_tuple(box->start, box->ndim);
    PyObject *shape = ngff_py_tuple(box->shape, box->ndim);
    PyObject *bytes = PyMemoryView_FromMemory(memory, (Py_ssize_t)size, PyBUF_WRITE);
    PyObject *value = NULL, *released = NULL;
    if (start && shape && bytes)
        value = PyObject_CallFunction(self->reader, "OOO", start, shape, bytes);
    if (value)
        released = ngff_py_call(bytes, "release", "()");
    int bad = !released;
    Py_XDECREF(released);
    Py_XDECREF(value);
    Py_XDECREF(bytes);
    Py_XDECREF(start);
    Py_XDECREF(shape);
    return bad;
}

static int is_packed(const ngff_view *view, size_t *size) {
    int packed = 1;
    *size = ngff_element_size((ngff_dtype)view->dtype);
    for (int i = view->ndim - 1; i >= 0; i--) {
        packed = packed && (view->shape[i] == 1 || view->strides[i] == (int64_t)*size);
        *size *= (size_t)view->shape[i];
    }
    return packed;
}

static int read_packed(py_source *self, const ngff_box *box, const ngff_view *out) {
    size_t size;
    if (is_packed(out, &size))
        return call_reader(self, box, out->data, size);
    ngff_view copy = *out;
    int64_t step = (int64_t)ngff_element_size((ngff_dtype)out->dtype);
    for (int i = copy.ndim - 1; i >= 0; step *= copy.shape[i--])
        copy.strides[i] = step;
    copy.data = PyMem_Malloc(size);
    if (!copy.data)
        return PyErr_NoMemory(), -1;
    int bad = call_reader(self, box, copy.data, size);
    if (!bad)
        ngff_py_copy_view(out, &copy);
    PyMem_Free(copy.data);
    return bad;
}

static ngff_status read_region(void *cookie, const ngff_box *box, const ngff_view *out,
                               ngff_error *err) {
    static const char text[] = "reading the source failed";
    py_source *self = cookie;
    PyGILState_STATE gil = PyGILState_Ensure();
    ngff_status status = NGFF_OK;
    if (self->pending.type || read_packed(self, box, out)) {
        if (PyErr_Occurred())
            ngff_py_keep_pending(&self->pending);
        status = NGFF_IO;
        if (err) {
            *err = (ngff_error){.status = NGFF_IO, .origin = NGFF_ORIGIN_INPUT};
            memcpy(err->message, text, sizeof text);
        }
    }
    PyGILState_Release(gil);
    return status;
}

PyObject *ngff_py_callback_source(PyObject *module, PyObject *args) {
    PyObject *context, *reader, *tuple, *unit;
    ngff_image_desc desc;
    ngff_channel *channels = NULL;
    ngff_source_ops ops = {.struct_size = sizeof ops, .read_region = read_region};
    ngff_error err = {0};
    int reentrant;
    int32_t count;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO!Op", ngff_py_context_type, &context, &reader,
                          &PyTuple_Type, &tuple, &unit, &reentrant) ||
        ngff_py_extents(unit, ops.unit, &count) || ngff_py_desc(tuple, &desc, &channels))
        return NULL;
    ops.reentrant = reentrant;
    py_source *self = source_new(context);
    ngff_status status = NGFF_NOMEM;
    if (self) {
        self->reader = Py_NewRef(reader);
        status = ngff_source_from_callback(self->context->handle, &ops, self, &desc,
                                           &self->handle, &err);
    }
    PyMem_Free(channels);
    return self ? answer(self, status, &err, NULL) : NULL;
}

/* ---- files ---- */

PyObject *ngff_py_file_source(PyObject *module, PyObject *args) {
    PyObject *context, *path, *shape;
    const char *dims, *dtype;
    ngff_source_opts opts = NGFF_SOURCE_OPTS_INIT;
    ngff_error err = {0};
    ngff_status status;
    int big_endian, series = 0, raw_values = 0;
    long long offset;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!UzOspL|ip", ngff_py_context_type, &context, &path,
                          &dims, &shape, &dtype, &big_endian, &offset, &series,
                          &raw_values) ||
        ngff_py_extents(shape, opts.raw_shape, &opts.raw_ndim))
        return NULL;
    opts.dims = dims;
    opts.raw_dtype = ngff_dtype_parse(dtype);
    opts.raw_big_endian = big_endian;
    opts.raw_offset = offset;
    opts.series = series;
    opts.raw_values = raw_values;
    const char *location = PyUnicode_AsUTF8AndSize(path, NULL);
    py_source *self = location ? source_new(context) : NULL;
    if (!self)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status =
        ngff_source_open(self->context->handle, location, &opts, &self->handle, &err);
    Py_END_ALLOW_THREADS;
    return answer(self, status, &err, path);
}

static ngff_status add_series(void *user, const ngff_series *series) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *item =
        Py_BuildValue("(issN)", (int)series->series, series->name, series->axes,
                      ngff_py_tuple(series->shape, series->ndim));
    int bad = !item || PyList_Append(user, item) < 0;
    Py_XDECREF(item);
    PyGILState_Release(gil);
    return bad ? NGFF_NOMEM : NGFF_OK;
}

PyObject *ngff_py_file_series(PyObject *module, PyObject *args) {
    PyObject *path;
    py_context *context;
    ngff_error err = {0};
    ngff_status status;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!U", ngff_py_context_type, &context, &path))
        return NULL;
    const char *location = PyUnicode_AsUTF8AndSize(path, NULL);
    PyObject *list = location ? PyList_New(0) : NULL;
    if (!list)
        return NULL;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_source_series(context->handle, location, NULL, add_series, list, &err);
    Py_END_ALLOW_THREADS;
    if (status == NGFF_OK)
        return list;
    Py_DECREF(list);
    return PyErr_Occurred() ? NULL : ngff_py_raise(status, &err, path);
}

/* ---- what a source holds ---- */

/* The open handle, and what it says of its image; NULL with an exception. */
static ngff_source *described(PyObject *object, ngff_image_desc *desc) {
    ngff_source *source = ((py_source *)object)->handle;
    ngff_error err = {0};
    *desc = (ngff_image_desc)NGFF_IMAGE_DESC_INIT;
    if (!source)
        return PyErr_SetString(PyExc_ValueError, "the source is closed"), NULL;
    ngff_status status = ngff_source_describe(source, desc, &err);
    if (status == NGFF_OK)
        return source;
    ngff_py_raise(status, &err, NULL);
    return NULL;
}

static PyObject *source_describe(PyObject *object, PyObject *none) {
    ngff_image_desc desc;
    (void)none;
    return described(object, &desc) ? ngff_py_describe(&desc) : NULL;
}

static PyObject *source_about(PyObject *object, PyObject *none) {
    ngff_image_desc desc;
    ngff_source_info info = NGFF_SOURCE_INFO_INIT;
    ngff_error err = {0};
    ngff_source *source = described(object, &desc);
    (void)none;
    if (!source)
        return NULL;
    ngff_status status = ngff_source_about(source, &info, &err);
    if (status != NGFF_OK)
        return ngff_py_raise(status, &err, NULL);
    return Py_BuildValue(
        "{s:s,s:s,s:s,s:i,s:i,s:O,s:N}", "kind", info.kind, "axes", info.axes, "note",
        info.note, "level_count", (int)info.level_count, "channels_listed",
        (int)info.channels_listed, "sequential", info.sequential ? Py_True : Py_False,
        "unit", ngff_py_tuple(info.unit, desc.ndim));
}

static PyObject *source_level(PyObject *object, PyObject *args) {
    ngff_image_desc desc;
    ngff_level_info info = NGFF_LEVEL_INFO_INIT;
    ngff_error err = {0};
    int level;
    ngff_source *source = described(object, &desc);
    if (!source || !PyArg_ParseTuple(args, "i", &level))
        return NULL;
    ngff_status status = ngff_source_level(source, level, &info, &err);
    return status == NGFF_OK ? ngff_py_level(&info, desc.ndim)
                             : ngff_py_raise(status, &err, NULL);
}

/* read_region(level, start, out): fills the buffer `out`. */
static PyObject *source_read_region(PyObject *object, PyObject *args) {
    py_source *self = (py_source *)object;
    PyObject *start, *target;
    ngff_image_desc desc;
    py_region r;
    ngff_error err = {0};
    ngff_status status;
    int level;
    if (!described(object, &desc) ||
        !PyArg_ParseTuple(args, "iOO", &level, &start, &target) ||
        ngff_py_region(start, target, desc.dtype, PyBUF_STRIDED, &r))
        return NULL;
    self->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_source_read_region(self->handle, level, &r.box, &r.view, &err);
    Py_END_ALLOW_THREADS;
    self->busy--;
    PyBuffer_Release(&r.buffer);
    if (ngff_py_raise_pending(&self->pending))
        return NULL;
    return status == NGFF_OK ? Py_NewRef(Py_None) : ngff_py_raise(status, &err, NULL);
}

static PyObject *source_close(PyObject *object, PyObject *none) {
    py_source *self = (py_source *)object;
    (void)none;
    if (self->busy)
        return PyErr_SetString(PyExc_RuntimeError, "the source is in use"), NULL;
    ngff_source_close(&self->handle);
    Py_CLEAR(self->reader);
    PyBuffer_Release(&self->buffer);
    return Py_NewRef(Py_None);
}

static void source_dealloc(PyObject *object) {
    py_source *self = (py_source *)object;
    ngff_source_close(&self->handle);
    PyBuffer_Release(&self->buffer);
    ngff_py_drop_pending(&self->pending);
    Py_CLEAR(self->reader);
    Py_CLEAR(self->context);
    ngff_py_free_self(object);
}

PyObject *ngff_py_make_source_type(void) {
    static PyMethodDef methods[] = {
        {"close", source_close, METH_NOARGS, "lets go of the data"},
        {"describe", source_describe, METH_NOARGS, "() -> description"},
        {"about", source_about, METH_NOARGS, "() -> dict"},
        {"level", source_level, METH_VARARGS, "(index) -> dict"},
        {"read_region", source_read_region, METH_VARARGS, "(level, start, out)"},
        {NULL, NULL, 0, NULL}};
    static PyType_Slot slots[] = {
        {Py_tp_dealloc, source_dealloc}, {Py_tp_methods, methods}, {0, NULL}};
    static PyType_Spec spec = {"ngff._core.Source", sizeof(py_source), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               slots};
    return PyType_FromSpec(&spec);
}
