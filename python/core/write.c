/* The main job, and its plan. */
#include "core.h"

int ngff_py_on_progress(void *user, const ngff_progress *p) {
    py_progress *job = user;
    if (job->cancel && *job->cancel)
        return 1;
    if (!job->callable)
        return 0;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *value = PyObject_CallFunction(
        job->callable, "siiKK", p->phase, (int)p->level, (int)p->level_count,
        (unsigned long long)p->bytes_done, (unsigned long long)p->bytes_total);
    int stop = !value;
    if (!value)
        ngff_py_keep_pending(&job->pending);
    Py_XDECREF(value);
    PyGILState_Release(gil);
    return stop;
}

static int text_option(PyObject *options, const char *name, const char **out) {
    PyObject *value = PyDict_GetItemString(options, name);
    if (!value || value == Py_None)
        return 0;
    *out = PyUnicode_AsUTF8AndSize(value, NULL);
    return *out ? 0 : -1;
}

static int flag_option(PyObject *options, const char *name, int32_t *out) {
    PyObject *value = PyDict_GetItemString(options, name);
    if (!value || value == Py_None)
        return 0;
    long number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred())
        return -1;
    *out = (int32_t)number;
    return 0;
}

int ngff_py_write_options(PyObject *options, ngff_write_opts *o) {
    const struct {
        const char *name, **out;
    } texts[] = {{"version", &o->version},
                 {"codec", &o->codec},
                 {"shuffle", &o->shuffle},
                 {"codec_json", &o->codec_json},
                 {"coordinates_json", &o->coordinates_json},
                 {"type", &o->type}};
    const struct {
        const char *name;
        int32_t *out;
    } flags[] = {{"compression_level", &o->compression_level},
                 {"has_level", &o->has_level},
                 {"flat_layout", &o->flat_layout},
                 {"no_consolidate", &o->no_consolidate},
                 {"write_empty_chunks", &o->write_empty_chunks},
                 {"keep_levels", &o->keep_levels},
                 {"no_spill", &o->no_spill},
                 {"lean", &o->lean},
                 {"orientation", &o->orientation}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (text_option(options, texts[i].name, texts[i].out))
            return -1;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flag_option(options, flags[i].name, flags[i].out))
            return -1;
    return 0;
}

static PyObject *report_dict(const ngff_write_report *r) {
    return Py_BuildValue(
        "{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:d,s:i,s:i}", "source_bytes",
        (unsigned long long)r->source_bytes, "decoded_bytes",
        (unsigned long long)r->decoded_bytes, "encoded_bytes",
        (unsigned long long)r->encoded_bytes, "files", (unsigned long long)r->files,
        "budget", (unsigned long long)r->budget, "peak", (unsigned long long)r->peak,
        "spill_bytes", (unsigned long long)r->spill_bytes, "blocks",
        (unsigned long long)r->blocks, "amplification", r->amplification, "threads",
        (int)r->threads, "passes", (int)r->passes);
}

static PyObject *run(py_store *store, py_image *image, py_source *source,
                     ngff_write_opts *opts) {
    ngff_write_report report = {.struct_size = sizeof report};
    py_progress *job = opts->progress_user;
    ngff_error err = {0};
    ngff_status status;
    store->busy++, source->busy++;
    Py_BEGIN_ALLOW_THREADS;
    status = ngff_write(image->context->handle, store->handle, image->handle,
                        source->handle, opts, &report, &err);
    Py_END_ALLOW_THREADS;
    store->busy--, source->busy--;
    int raised = ngff_py_raise_pending(&job->pending) ||
                 ngff_py_raise_pending(&source->pending) ||
                 ngff_py_raise_pending(&store->pending);
    ngff_py_drop_pending(&source->pending);
    ngff_py_drop_pending(&store->pending);
    if (raised)
        return NULL;
    return status == NGFF_OK ? report_dict(&report)
                             : ngff_py_raise(status, &err, store->path);
}

PyObject *ngff_py_write(PyObject *module, PyObject *args) {
    PyObject *context, *options, *progress, *cancel;
    py_store *store;
    py_image *image;
    py_source *source;
    ngff_write_opts opts = NGFF_WRITE_OPTS_INIT;
    py_progress job = {NULL, NULL, {NULL, NULL, NULL}};
    Py_buffer flag = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!OO", ngff_py_context_type, &context,
                          ngff_py_store_type, &store, ngff_py_image_type, &image,
                          ngff_py_source_type, &source, &PyDict_Type, &options, &progress,
                          &cancel) ||
        ngff_py_write_options(options, &opts))
        return NULL;
    if (!store->handle || !source->handle)
        return PyErr_SetString(PyExc_ValueError, "the store or source is closed"), NULL;
    if (cancel != Py_None) {
        if (PyObject_GetBuffer(cancel, &flag, PyBUF_SIMPLE) < 0)
            return NULL;
        job.cancel = flag.len ? flag.buf : NULL;
    }
    job.callable = progress == Py_None ? NULL : progress;
    opts.progress = ngff_py_on_progress;
    opts.progress_user = &job;
    PyObject *result = run(store, image, source, &opts);
    PyBuffer_Release(&flag);
    return result;
}

/* The arguments that the plan and its regions share. */
typedef struct planning {
    PyObject *context, *options;
    py_image *image;
    py_source *source;
    ngff_write_opts opts;
} planning;

static int planning_check(planning *p) {
    p->opts = (ngff_write_opts)NGFF_WRITE_OPTS_INIT;
    if (ngff_py_write_options(p->options, &p->opts))
        return -1;
    if (p->source->handle)
        return 0;
    PyErr_SetString(PyExc_ValueError, "the source is closed");
    return -1;
}

PyObject *ngff_py_write_plan(PyObject *module, PyObject *args) {
    planning p;
    ngff_write_report report = {.struct_size = sizeof report};
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!", ngff_py_context_type, &p.context,
                          ngff_py_image_type, &p.image, ngff_py_source_type, &p.source,
                          &PyDict_Type, &p.options) ||
        planning_check(&p))
        return NULL;
    ngff_status status =
        ngff_write_plan(((py_context *)p.context)->handle, p.image->handle,
                        p.source->handle, &p.opts, &report, &err);
    return status == NGFF_OK ? report_dict(&report) : ngff_py_raise(status, &err, NULL);
}

typedef struct box_list {
    PyObject *list;
    Py_ssize_t most;
} box_list;

static ngff_status add_box(void *user, const ngff_box *box) {
    box_list *boxes = user;
    if (PyList_Size(boxes->list) >= boxes->most)
        return NGFF_LIMIT;
    PyObject *item = Py_BuildValue("(NN)", ngff_py_tuple(box->start, box->ndim),
                                   ngff_py_tuple(box->shape, box->ndim));
    int bad = !item || PyList_Append(boxes->list, item) < 0;
    Py_XDECREF(item);
    return bad ? NGFF_NOMEM : NGFF_OK;
}

PyObject *ngff_py_write_reads(PyObject *module, PyObject *args) {
    planning p;
    box_list boxes;
    ngff_error err = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!O!O!n", ngff_py_context_type, &p.context,
                          ngff_py_image_type, &p.image, ngff_py_source_type, &p.source,
                          &PyDict_Type, &p.options, &boxes.most) ||
        planning_check(&p))
        return NULL;
    boxes.list = PyList_New(0);
    if (!boxes.list)
        return NULL;
    ngff_status status =
        ngff_write_reads(((py_context *)p.context)->handle, p.image->handle,
                         p.source->handle, &p.opts, add_box, &boxes, &err);
    if (status == NGFF_OK)
        return boxes.list;
    int full = PyList_Size(boxes.list) >= boxes.most;
    Py_DECREF(boxes.list);
    if (PyErr_Occurred())
        return NULL;
    return full ? Py_NewRef(Py_None) : ngff_py_raise(status, &err, NULL);
}
