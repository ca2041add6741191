/* OME-XML, as far as pixels need it. */
#include "source/ome_xml.h"

#include <expat.h>
#include <math.h>

#define MAX_DEPTH 64
#define MAX_XML ((size_t)128 << 20)

typedef enum element {
    OTHER = 0,
    OME,
    BINARY_ONLY,
    IMAGE,
    PIXELS,
    CHANNEL,
    TIFF_DATA,
    UUID,
    PLANE
} element;

typedef struct parser {
    ngff_ome_xml *x;
    XML_Parser expat;
    element stack[MAX_DEPTH];
    int depth;
    bool plane_seen;
    size_t uuid_at; /* where the text of an open UUID element begins; 0: none */
    ngff_status status;
    ngff_error *err;
} parser;

static void stop(parser *p, ngff_status status) {
    p->status = status;
    XML_StopParser(p->expat, XML_FALSE);
}

/* Room for one more; the new item is zeroed. */
static void *push(parser *p, void **items, size_t *count, size_t *capacity, size_t size) {
    if (*count == *capacity) {
        size_t more = *capacity == 0 ? 8 : *capacity * 2;
        void *grown = ngff_realloc(p->x->alloc, *items, *capacity * size, more * size);
        if (grown == NULL) {
            stop(p, ngff_fail_nomem(p->err, "an OME-XML document", more * size));
            return NULL;
        }
        *items = grown;
        *capacity = more;
    }
    void *item = (char *)*items + *count * size;
    memset(item, 0, size);
    ++*count;
    return item;
}

static size_t keep_text(parser *p, const char *text) {
    size_t at = p->x->text.size;
    ngff_status status = ngff_buf_append(&p->x->text, text, strlen(text) + 1, p->err);
    if (status == NGFF_OK)
        return at;
    stop(p, status);
    return 0;
}

static const char *attribute(const char **atts, const char *name) {
    for (; atts[0] != NULL; atts += 2)
        if (strcmp(atts[0], name) == 0)
            return atts[1];
    return NULL;
}

/* Numbers that are no numbers are as good as missing, except where the caller says so. */
static bool integer(const char **atts, const char *name, int64_t *out) {
    const char *text = attribute(atts, name);
    return text != NULL && ngff_parse_i64(text, out);
}

static bool number(const char **atts, const char *name, double *out) {
    const char *text = attribute(atts, name);
    double v = 0.0;
    if (text == NULL || !ngff_parse_f64(text, &v) || !isfinite(v))
        return false;
    *out = v;
    return true;
}

static ngff_xml_image *last_image(parser *p) {
    return &p->x->images[p->x->image_count - 1];
}

static void read_pixels(parser *p, const char **atts) {
    static const char *const sizes[] = {"SizeT", "SizeC", "SizeZ", "SizeY", "SizeX"};
    static const char *const steps[] = {"TimeIncrement", NULL, "PhysicalSizeZ",
                                        "PhysicalSizeY", "PhysicalSizeX"};
    static const char *const units[] = {"TimeIncrementUnit", NULL, "PhysicalSizeZUnit",
                                        "PhysicalSizeYUnit", "PhysicalSizeXUnit"};
    ngff_xml_image *m = last_image(p);
    const char *order = attribute(atts, "DimensionOrder");
    if (m->order[0] != '\0')
        return; /* an Image has one Pixels; others are not ours */
    ngff_copy_text(m->order, sizeof m->order, order != NULL ? order : "XYZCT");
    for (int i = 0; i < NGFF_TIFF_DIMS; i++) {
        m->size[i] = 1;
        if (!integer(atts, sizes[i], &m->size[i]) || m->size[i] < 1) {
            stop(p, ngff_fail(p->err, NGFF_FORMAT, "OME-XML: Pixels without a valid %s",
                              sizes[i]));
            return;
        }
        if (steps[i] == NULL || !number(atts, steps[i], &m->spacing[i]))
            continue;
        const char *unit = attribute(atts, units[i]);
        ngff_copy_text(m->unit[i], sizeof m->unit[i],
                       unit != NULL       ? unit
                       : i == NGFF_TIFF_T ? "s"
                                          : "\xc2\xb5m"); /* the schema's defaults */
    }
}

static void read_channel(parser *p, const char **atts) {
    ngff_ome_xml *x = p->x;
    ngff_xml_channel *c = push(p, (void **)&x->channels, &x->channel_count,
                               &x->channel_capacity, sizeof *c);
    const char *name = attribute(atts, "Name");
    int64_t color = 0;
    if (c == NULL)
        return;
    c->samples = 1;
    (void)integer(atts, "SamplesPerPixel", &c->samples);
    c->has_color = integer(atts, "Color", &color);
    c->color = (uint32_t)color;
    c->name = name != NULL && name[0] != '\0' ? keep_text(p, name) : 0;
    last_image(p)->channel_count++;
}

static void read_data(parser *p, const char **atts) {
    ngff_ome_xml *x = p->x;
    ngff_xml_data *d =
        push(p, (void **)&x->data, &x->data_count, &x->data_capacity, sizeof *d);
    if (d == NULL)
        return;
    (void)integer(atts, "FirstT", &d->first[NGFF_TIFF_T]);
    (void)integer(atts, "FirstC", &d->first[NGFF_TIFF_C]);
    (void)integer(atts, "FirstZ", &d->first[NGFF_TIFF_Z]);
    d->has_ifd = integer(atts, "IFD", &d->ifd);
    d->has_count =
        integer(atts, "PlaneCount", &d->count) || integer(atts, "NumPlanes", &d->count);
    last_image(p)->data_count++;
}

static void read_uuid(parser *p, const char **atts) {
    ngff_xml_data *d = &p->x->data[p->x->data_count - 1];
    const char *file = attribute(atts, "FileName");
    if (file != NULL && d->file == 0)
        d->file = keep_text(p, file);
    p->uuid_at = p->x->text.size;
}

/* Only the first plane's position: the image's origin. */
static void read_plane(parser *p, const char **atts) {
    static const char *const names[] = {NULL, NULL, "PositionZ", "PositionY",
                                        "PositionX"};
    static const char *const units[] = {NULL, NULL, "PositionZUnit", "PositionYUnit",
                                        "PositionXUnit"};
    ngff_xml_image *m = last_image(p);
    if (p->plane_seen)
        return;
    p->plane_seen = true;
    for (int i = NGFF_TIFF_Z; i < NGFF_TIFF_DIMS; i++) {
        m->has_origin[i] = number(atts, names[i], &m->origin[i]);
        const char *unit = attribute(atts, units[i]);
        ngff_copy_text(m->origin_unit[i], sizeof m->origin_unit[i],
                       unit != NULL ? unit : "");
    }
}

static void read_image(parser *p, const char **atts) {
    ngff_ome_xml *x = p->x;
    ngff_xml_image *m =
        push(p, (void **)&x->images, &x->image_count, &x->image_capacity, sizeof *m);
    const char *name = attribute(atts, "Name");
    if (m == NULL)
        return;
    m->name = name != NULL && name[0] != '\0' ? keep_text(p, name) : 0;
    m->channel_first = x->channel_count;
    m->data_first = x->data_count;
    p->plane_seen = false;
}

static void read_root(parser *p, const char **atts) {
    const char *text = attribute(atts, "UUID");
    p->x->uuid = text != NULL && text[0] != '\0' ? keep_text(p, text) : 0;
}

static void read_binary_only(parser *p, const char **atts) {
    const char *text = attribute(atts, "MetadataFile");
    p->x->metadata_file = text != NULL && text[0] != '\0' ? keep_text(p, text) : 0;
}

/* The elements that matter, each only below its parent. */
static const struct {
    const char *name;
    element parent, self;
    void (*read)(parser *p, const char **atts);
} known[] = {{"OME", OTHER, OME, read_root},
             {"BinaryOnly", OME, BINARY_ONLY, read_binary_only},
             {"Image", OME, IMAGE, read_image},
             {"Pixels", IMAGE, PIXELS, read_pixels},
             {"Channel", PIXELS, CHANNEL, read_channel},
             {"TiffData", PIXELS, TIFF_DATA, read_data},
             {"UUID", TIFF_DATA, UUID, read_uuid},
             {"Plane", PIXELS, PLANE, read_plane}};

static void on_start(void *user, const char *name, const char **atts) {
    parser *p = user;
    const char *colon = strrchr(name, ':');
    element parent = p->depth > 0 ? p->stack[p->depth - 1] : OTHER;
    if (p->depth == MAX_DEPTH) {
        stop(p, ngff_fail(p->err, NGFF_LIMIT, "OME-XML: more than %d elements deep",
                          MAX_DEPTH));
        return;
    }
    p->stack[p->depth++] = OTHER;
    if (colon != NULL)
        name = colon + 1;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].parent != parent || (parent == OTHER && p->depth > 1) ||
            strcmp(known[i].name, name) != 0)
            continue;
        p->stack[p->depth - 1] = known[i].self;
        known[i].read(p, atts);
        return;
    }
}

static void on_end(void *user, const char *name) {
    parser *p = user;
    (void)name;
    assert(p->depth > 0);
    p->depth--;
    if (p->stack[p->depth] != UUID || p->uuid_at == 0)
        return;
    ngff_xml_data *d = &p->x->data[p->x->data_count - 1];
    if (d->uuid == 0 && p->x->text.size > p->uuid_at) {
        d->uuid = p->uuid_at;
        ngff_status status = ngff_buf_append(&p->x->text, "", 1, p->err);
        if (status != NGFF_OK)
            stop(p, status);
    }
    p->uuid_at = 0;
}

static void on_text(void *user, const char *text, int size) {
    parser *p = user;
    if (p->uuid_at == 0)
        return;
    ngff_status status = ngff_buf_append(&p->x->text, text, (size_t)size, p->err);
    if (status != NGFF_OK)
        stop(p, status);
}

/* A document type could define entities: nothing that OME-XML needs. */
static void on_doctype(void *user, const char *name, const char *sysid, const char *pubid,
                       int internal) {
    parser *p = user;
    (void)name, (void)sysid, (void)pubid, (void)internal;
    stop(p, ngff_fail(p->err, NGFF_FORMAT,
                      "OME-XML: a document type declaration is not accepted"));
}

static ngff_status run(parser *p, const char *text, size_t size) {
    XML_SetUserData(p->expat, p);
    XML_SetElementHandler(p->expat, on_start, on_end);
    XML_SetCharacterDataHandler(p->expat, on_text);
    XML_SetStartDoctypeDeclHandler(p->expat, on_doctype);
    if (XML_Parse(p->expat, text, (int)size, XML_TRUE) == XML_STATUS_OK ||
        p->status != NGFF_OK)
        return p->status;
    return ngff_fail(p->err, NGFF_FORMAT, "OME-XML: line %lu: %s",
                     (unsigned long)XML_GetCurrentLineNumber(p->expat),
                     XML_ErrorString(XML_GetErrorCode(p->expat)));
}

ngff_status ngff_ome_xml_parse(const ngff_allocator *a, const char *text, size_t size,
                               ngff_ome_xml *out, ngff_error *err) {
    *out = (ngff_ome_xml){.alloc = a};
    ngff_buf_init(&out->text, a, MAX_XML);
    if (size > MAX_XML)
        return ngff_fail(err, NGFF_LIMIT, "OME-XML of %zu bytes, more than %zu", size,
                         MAX_XML);
    NGFF_TRY(ngff_buf_append(&out->text, "", 1, err)); /* offset 0 stands for no text */
    /* The bytes decide the encoding: what is declared is often left from another life. */
    parser p = {.x = out, .err = err};
    p.expat = XML_ParserCreate(ngff_utf8_valid(text, size) ? "UTF-8" : "ISO-8859-1");
    if (p.expat == NULL)
        return ngff_fail_nomem(err, "the XML parser", 1);
    ngff_status status = run(&p, text, size);
    XML_ParserFree(p.expat);
    return status;
}

void ngff_ome_xml_reset(ngff_ome_xml *x) {
    ngff_buf_reset(&x->text);
    ngff_free(x->alloc, x->images);
    ngff_free(x->alloc, x->channels);
    ngff_free(x->alloc, x->data);
    *x = (ngff_ome_xml){.alloc = x->alloc};
}
