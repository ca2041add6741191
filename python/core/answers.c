/* Structs of the C API as Python values. */
#include "core.h"

PyObject *ngff_py_level(const ngff_level_info *info, int32_t n) {
    return Py_BuildValue(
        "{s:N,s:N,s:N,s:N,s:N,s:s}", "shape", ngff_py_tuple(info->shape, n), "chunks",
        ngff_py_tuple(info->chunks, n), "shards", ngff_py_tuple(info->shards, n), "scale",
        ngff_py_float_tuple(info->scale, n), "translation",
        ngff_py_float_tuple(info->translation, n), "path", info->path);
}

static int append(PyObject *list, PyObject *item) {
    int bad = !item || PyList_Append(list, item) < 0;
    Py_XDECREF(item);
    return bad;
}

static PyObject *axis_list(const ngff_image_desc *desc) {
    PyObject *list = PyList_New(0);
    for (int32_t i = 0; list && i < desc->ndim; i++) {
        const ngff_axis *a = &desc->axes[i];
        if (append(list, Py_BuildValue("(ssssdd)", a->name, a->type, a->unit,
                                       a->orientation, a->scale, a->translation)))
            Py_CLEAR(list);
    }
    return list;
}

static PyObject *channel_list(const ngff_image_desc *desc) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < desc->channel_count; i++) {
        const ngff_channel *c = &desc->channels[i];
        if (append(list,
                   Py_BuildValue("(ssiidddd)", c->label, c->color, (int)c->has_window,
                                 (int)c->active, c->min, c->max, c->start, c->end)))
            Py_CLEAR(list);
    }
    return list;
}

/* As ngff_py_desc takes it. */
PyObject *ngff_py_describe(const ngff_image_desc *desc) {
    return Py_BuildValue("(sNsNN)", ngff_dtype_text((ngff_dtype)desc->dtype),
                         ngff_py_tuple(desc->shape, desc->ndim), desc->name,
                         axis_list(desc), channel_list(desc));
}
