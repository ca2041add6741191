/* Python values to the structs of the C API. */
#include "core.h"

#include <stdarg.h>
#include <string.h>

int ngff_py_extents(PyObject *sequence, int64_t *out, int32_t *count) {
    Py_ssize_t n = PySequence_Size(sequence);
    if (n < 0)
        return -1;
    if (n > NGFF_MAX_NDIM) {
        PyErr_Format(PyExc_ValueError, "at most %d dimensions, got %zd", NGFF_MAX_NDIM,
                     n);
        return -1;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (!item)
            return -1;
        out[i] = PyLong_AsLongLong(item);
        Py_DECREF(item);
        if (out[i] == -1 && PyErr_Occurred())
            return -1;
    }
    *count = (int32_t)n;
    return 0;
}

PyObject *ngff_py_call(PyObject *target, const char *name, const char *format, ...) {
    va_list values;
    va_start(values, format);
    PyObject *arguments = Py_VaBuildValue(format, values);
    va_end(values);
    PyObject *key = PyUnicode_InternFromString(name);
    PyObject *method = key && arguments ? PyObject_GetAttr(target, key) : NULL;
    PyObject *result = method ? PyObject_CallObject(method, arguments) : NULL;
    Py_XDECREF(method);
    Py_XDECREF(key);
    Py_XDECREF(arguments);
    return result;
}

PyObject *ngff_py_tuple(const int64_t *values, int32_t count) {
    PyObject *tuple = PyTuple_New(count);
    for (int32_t i = 0; tuple && i < count; i++) {
        PyObject *item = PyLong_FromLongLong(values[i]);
        if (!item || PyTuple_SetItem(tuple, i, item) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

PyObject *ngff_py_float_tuple(const double *values, int32_t count) {
    PyObject *tuple = PyTuple_New(count);
    for (int32_t i = 0; tuple && i < count; i++) {
        PyObject *item = PyFloat_FromDouble(values[i]);
        if (!item || PyTuple_SetItem(tuple, i, item) < 0)
            Py_CLEAR(tuple);
    }
    return tuple;
}

/* A string that does not fit is an error, never cut. */
static int text_into(char *out, size_t capacity, const char *text, const char *what) {
    size_t length = strlen(text);
    if (length >= capacity) {
        PyErr_Format(PyExc_ValueError, "%s is longer than %zu bytes: %.60s", what,
                     capacity - 1, text);
        return -1;
    }
    memcpy(out, text, length + 1);
    return 0;
}

static int axis_of(PyObject *tuple, ngff_axis *axis) {
    const char *name, *type, *unit, *orientation;
    if (!PyArg_ParseTuple(tuple, "ssssdd", &name, &type, &unit, &orientation,
                          &axis->scale, &axis->translation))
        return -1;
    if (text_into(axis->name, sizeof axis->name, name, "axis name") ||
        text_into(axis->type, sizeof axis->type, type, "axis type") ||
        text_into(axis->unit, sizeof axis->unit, unit, "unit") ||
        text_into(axis->orientation, sizeof axis->orientation, orientation,
                  "orientation"))
        return -1;
    return 0;
}

static int channel_of(PyObject *tuple, ngff_channel *channel) {
    const char *label, *color;
    int window, active;
    if (!PyArg_ParseTuple(tuple, "ssppdddd", &label, &color, &window, &active,
                          &channel->min, &channel->max, &channel->start, &channel->end))
        return -1;
    channel->has_window = window;
    channel->active = active;
    return text_into(channel->label, sizeof channel->label, label, "channel label") ||
                   text_into(channel->color, sizeof channel->color, color, "color")
               ? -1
               : 0;
}

static int channels_of(PyObject *list, ngff_image_desc *desc, ngff_channel **out) {
    Py_ssize_t count = PyList_Size(list);
    *out = NULL;
    if (count <= 0)
        return count < 0 ? -1 : 0;
    ngff_channel *channels = PyMem_Calloc((size_t)count, sizeof *channels);
    if (!channels) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (channel_of(PyList_GetItem(list, i), &channels[i])) {
            PyMem_Free(channels);
            return -1;
        }
    }
    *out = channels;
    desc->channels = channels;
    desc->channel_count = (size_t)count;
    return 0;
}

/* (dtype, shape, name, [axis…], [channel…]) */
int ngff_py_desc(PyObject *tuple, ngff_image_desc *desc, ngff_channel **channels) {
    const char *dtype, *name;
    PyObject *shape, *axes, *list;
    *desc = (ngff_image_desc)NGFF_IMAGE_DESC_INIT;
    if (!PyArg_ParseTuple(tuple, "sOsO!O!", &dtype, &shape, &name, &PyList_Type, &axes,
                          &PyList_Type, &list))
        return -1;
    desc->dtype = ngff_dtype_parse(dtype);
    if (desc->dtype == NGFF_DTYPE_NONE) {
        PyErr_Format(PyExc_ValueError, "dtype %s cannot be mapped to Zarr v3 core dtype",
                     dtype);
        return -1;
    }
    if (ngff_py_extents(shape, desc->shape, &desc->ndim) ||
        text_into(desc->name, sizeof desc->name, name, "name"))
        return -1;
    if (PyList_Size(axes) != desc->ndim) {
        PyErr_SetString(PyExc_ValueError, "one axis for each dimension is needed");
        return -1;
    }
    for (int32_t i = 0; i < desc->ndim; i++)
        if (axis_of(PyList_GetItem(axes, i), &desc->axes[i]))
            return -1;
    return channels_of(list, desc, channels);
}

int ngff_py_view(const Py_buffer *buffer, int32_t dtype, ngff_view *view) {
    if (buffer->ndim > NGFF_MAX_NDIM ||
        (size_t)buffer->itemsize != ngff_element_size((ngff_dtype)dtype)) {
        PyErr_Format(PyExc_ValueError, "the buffer has items of %zd bytes and %d axes",
                     buffer->itemsize, buffer->ndim);
        return -1;
    }
    *view = (ngff_view){.data = buffer->buf, .dtype = dtype, .ndim = buffer->ndim};
    for (int i = 0; i < buffer->ndim; i++) {
        view->shape[i] = buffer->shape[i];
        view->strides[i] = buffer->strides[i];
    }
    return 0;
}

int ngff_py_region(PyObject *start, PyObject *pixels, int32_t dtype, int flags,
                   py_region *r) {
    r->box = (ngff_box){0};
    if (ngff_py_extents(start, r->box.start, &r->box.ndim) ||
        PyObject_GetBuffer(pixels, &r->buffer, flags) < 0)
        return -1;
    int bad = ngff_py_view(&r->buffer, dtype, &r->view);
    if (!bad && r->view.ndim != r->box.ndim) {
        PyErr_SetString(PyExc_ValueError, "start and pixels differ in dimensions");
        bad = -1;
    }
    for (int i = 0; !bad && i < r->view.ndim; i++)
        r->box.shape[i] = r->view.shape[i];
    if (bad)
        PyBuffer_Release(&r->buffer);
    return bad;
}

/* One row of the fastest axis. */
static void copy_row(char *to, int64_t to_step, const char *from, int64_t from_step,
                     int64_t count, size_t size) {
    if (to_step == (int64_t)size && from_step == (int64_t)size) {
        memcpy(to, from, (size_t)count * size);
        return;
    }
    for (int64_t i = 0; i < count; i++, to += to_step, from += from_step)
        memcpy(to, from, size);
}

void ngff_py_copy_view(const ngff_view *to, const ngff_view *from) {
    size_t size = ngff_element_size((ngff_dtype)to->dtype);
    int last = to->ndim - 1;
    int64_t at[NGFF_MAX_NDIM] = {0};
    char *out = to->data;
    const char *in = from->data;
    for (int i = 0; i <= last; i++)
        if (to->shape[i] == 0)
            return;
    for (;;) {
        copy_row(out, to->strides[last], in, from->strides[last], to->shape[last], size);
        int axis = last - 1;
        while (axis >= 0 && ++at[axis] == to->shape[axis]) {
            out -= (to->shape[axis] - 1) * to->strides[axis];
            in -= (to->shape[axis] - 1) * from->strides[axis];
            at[axis--] = 0;
        }
        if (axis < 0)
            return;
        out += to->strides[axis];
        in += from->strides[axis];
    }
}
