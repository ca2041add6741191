/* The module: its functions, the context type, tables, and how errors become exceptions.
 */
#include "core.h"

PyObject *ngff_py_context_type, *ngff_py_store_type, *ngff_py_source_type,
    *ngff_py_image_type, *ngff_py_writer_type;

/* ---- errors ---- */

PyObject *ngff_py_raise(ngff_status status, const ngff_error *err, PyObject *path) {
    PyObject *errors = PyImport_ImportModule("ngff._errors");
    if (!errors)
        return NULL;
    const char *message = err->message[0] ? err->message : ngff_status_text(status);
    PyObject *exception =
        ngff_py_call(errors, "make", "(issO)", (int)status, ngff_status_text(status),
                     message, path ? path : Py_None);
    Py_DECREF(errors);
    if (!exception)
        return NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return NULL;
}

void ngff_py_keep_pending(py_pending *pending) {
    if (pending->type) {
        PyErr_Clear();
        return;
    }
    PyErr_Fetch(&pending->type, &pending->value, &pending->trace);
}

int ngff_py_raise_pending(py_pending *pending) {
    if (!pending->type)
        return 0;
    PyErr_Restore(pending->type, pending->value, pending->trace);
    *pending = (py_pending){NULL, NULL, NULL};
    return 1;
}

void ngff_py_drop_pending(py_pending *pending) {
    Py_CLEAR(pending->type);
    Py_CLEAR(pending->value);
    Py_CLEAR(pending->trace);
}

void ngff_py_free_self(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    union {
        void *slot;
        freefunc call;
    } release = {PyType_GetSlot(type, Py_tp_free)};
    release.call(self);
    Py_DECREF(type);
}

/* ---- context ---- */

static PyObject *context_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"threads", "memory_target", NULL};
    int threads = 0;
    unsigned long long target = 0;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iK", names, &threads, &target))
        return NULL;
    allocfunc make;
    *(void **)&make = PyType_GetSlot(type, Py_tp_alloc);
    py_context *self = (py_context *)make(type, 0);
    if (!self)
        return NULL;
    ngff_context_opts opts = NGFF_CONTEXT_OPTS_INIT;
    ngff_error err = {0};
    opts.threads = threads;
    opts.memory_target = target;
    opts.memory_grows = 1; /* a target, as it is for ngff-zarr; the package warns */
    ngff_status status = ngff_context_create(&opts, &self->handle, &err);
    if (status == NGFF_OK)
        return (PyObject *)self;
    Py_DECREF(self);
    return ngff_py_raise(status, &err, NULL);
}

static void context_dealloc(PyObject *self) {
    ngff_context_close(&((py_context *)self)->handle);
    ngff_py_free_self(self);
}

PyObject *ngff_py_make_context_type(void) {
    static PyType_Slot slots[] = {
        {Py_tp_new, context_new}, {Py_tp_dealloc, context_dealloc}, {0, NULL}};
    static PyType_Spec spec = {"ngff._core.Context", sizeof(py_context), 0,
                               Py_TPFLAGS_DEFAULT, slots};
    return PyType_FromSpec(&spec);
}

/* ---- tables ---- */

static PyObject *methods(PyObject *module, PyObject *none) {
    PyObject *list = PyList_New(0);
    const char *name, *canonical, *text;
    (void)module, (void)none;
    for (size_t i = 0; list && ngff_method_info(i, &name, &canonical, &text); i++) {
        PyObject *row = Py_BuildValue("(sss)", name, canonical, text);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *codecs(PyObject *module, PyObject *none) {
    PyObject *list = PyList_New(0);
    const char *name, *v2, *v3;
    int encodes;
    (void)module, (void)none;
    for (size_t i = 0; list && ngff_codec_info(i, &name, &v2, &v3, &encodes); i++) {
        PyObject *row = Py_BuildValue("(zzzi)", name, v2, v3, encodes);
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *build_info(PyObject *module, PyObject *none) {
    (void)module, (void)none;
    return PyUnicode_FromString(ngff_build_info());
}

/* ---- the module ---- */

static PyMethodDef functions[] = {
    {"methods", methods, METH_NOARGS, "[(name, canonical name, description)]"},
    {"codecs", codecs, METH_NOARGS, "[(name, v2 id, v3 name, encodes)]"},
    {"build_info", build_info, METH_NOARGS, "the libraries built in"},
    {"open_store", ngff_py_open_store, METH_VARARGS,
     "(context, location, access, overwrite, durability) -> Store"},
    {"below_store", ngff_py_below_store, METH_VARARGS, "(context, store, path) -> store"},
    {"pair_store", ngff_py_pair_store, METH_VARARGS,
     "(context, metadata, chunks) -> store"},
    {"callback_store", ngff_py_callback_store, METH_VARARGS,
     "(context, object) -> Store"},
    {"copy_store", ngff_py_copy_store, METH_VARARGS, "(from, to)"},
    {"put_directory", ngff_py_put_directory, METH_VARARGS,
     "(from, to, replace) -> whether from is now what was there"},
    {"upgrade", ngff_py_upgrade, METH_VARARGS, "(context, store, version)"},
    {"array_source", ngff_py_array_source, METH_VARARGS,
     "(context, buffer, description) -> Source"},
    {"callback_source", ngff_py_callback_source, METH_VARARGS,
     "(context, reader(start, shape, bytes), description, unit, reentrant) -> Source"},
    {"file_source", ngff_py_file_source, METH_VARARGS,
     "(context, path, dims, shape, dtype, big_endian, offset, series=0, "
     "raw_values=False) -> Source"},
    {"file_series", ngff_py_file_series, METH_VARARGS,
     "(context, path) -> [(series, name, axes, shape)]"},
    {"plan", ngff_py_plan, METH_VARARGS,
     "(context, description, method, factors, min_size, chunks, per_shard) -> Image"},
    {"open_image", ngff_py_open_image, METH_VARARGS, "(context, store) -> Image"},
    {"write", ngff_py_write, METH_VARARGS,
     "(context, store, image, source, options, progress, cancel) -> dict"},
    {"write_plan", ngff_py_write_plan, METH_VARARGS,
     "(context, image, source, options) -> dict"},
    {"write_metadata", ngff_py_write_metadata, METH_VARARGS,
     "(context, store, image, options)"},
    {"write_levels", ngff_py_write_levels, METH_VARARGS,
     "(context, store, image, start_level, options)"},
    {"open_writer", ngff_py_open_writer, METH_VARARGS,
     "(context, store, image, options, (start_level, append, no_wait, live), progress, "
     "cancel) -> Writer"},
    {"join_writer", ngff_py_join_writer, METH_VARARGS, "(context, store) -> Writer"},
    {"write_reads", ngff_py_write_reads, METH_VARARGS,
     "(context, image, source, options, most) -> [(start, shape)], None for more"},
    {NULL, NULL, 0, NULL}};

static int add(PyObject *module, const char *name, PyObject **slot, PyObject *type) {
    *slot = type;
    return type ? PyModule_AddObjectRef(module, name, type) : -1;
}

static int module_exec(PyObject *module) {
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError, "ngff does not run in subinterpreters");
        return -1;
    }
    if (add(module, "Context", &ngff_py_context_type, ngff_py_make_context_type()) ||
        add(module, "Store", &ngff_py_store_type, ngff_py_make_store_type()) ||
        add(module, "Source", &ngff_py_source_type, ngff_py_make_source_type()) ||
        add(module, "Image", &ngff_py_image_type, ngff_py_make_image_type()) ||
        add(module, "Writer", &ngff_py_writer_type, ngff_py_make_writer_type()))
        return -1;
    return PyModule_AddStringConstant(module, "library_version", ngff_library_version());
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "ngff._core", NULL, 0,   functions,
    module_slots,          NULL,         NULL, NULL};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void) {
    return PyModuleDef_Init(&definition);
}
