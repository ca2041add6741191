/* ngff sample: a seeded image that looks like fluorescence microscopy: cells as blobs of
 * two kinds, a dim background, shot and read noise. Written as .npy or as a small
 * OME-TIFF. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const cli_option cli_sample_options[] = {
    {"--shape", NULL, "C,Z,Y,X", "extents (default 2,64,512,512)"},
    {"--seed", NULL, "N", "another image (default 1)"},
    {"--labels", NULL, NULL, "cell numbers as uint32 instead of intensities"},
    {NULL, NULL, NULL, NULL},
};

typedef struct cell {
    double z, y, x, r;
    double brightness[2];
} cell;

typedef struct scene {
    int64_t c, z, y, x;
    uint64_t seed;
    int cell_count;
    cell *cells;
} scene;

/* SplitMix64. */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state) {
    return (double)(next_random(state) >> 11) / 9007199254740992.0;
}

/* Close enough to a normal deviate: the sum of four uniform ones, scaled to variance 1.
 */
static double normal(uint64_t *state) {
    double s = uniform(state) + uniform(state) + uniform(state) + uniform(state);
    return (s - 2.0) * 1.7320508075688772;
}

static bool make_cells(scene *s) {
    uint64_t state = s->seed;
    double volume = (double)s->z * (double)s->y * (double)s->x;
    s->cell_count = (int)fmin(4000, 4 + volume / 60000);
    s->cells = malloc((size_t)s->cell_count * sizeof *s->cells);
    if (s->cells == NULL)
        return false;
    for (int i = 0; i < s->cell_count; i++) {
        cell *c = &s->cells[i];
        c->z = uniform(&state) * (double)s->z;
        c->y = uniform(&state) * (double)s->y;
        c->x = uniform(&state) * (double)s->x;
        c->r = 8 + 12 * uniform(&state);
        c->brightness[0] = 400 + 2600 * uniform(&state);
        c->brightness[1] = 200 + 1400 * uniform(&state) * (double)(i % 3 == 0);
    }
    return true;
}

static double cell_light(const cell *c, int channel, double d2) {
    double q = d2 / (c->r * c->r); /* a nucleus, and a shell around it */
    return channel == 0 ? c->brightness[0] * exp(-2.5 * q)
                        : c->brightness[1] * exp(-8 * (q - 0.6) * (q - 0.6));
}

/* Expected light of one plane; labels: number of the nearest cell that covers a pixel. */
static void draw_plane(const scene *s, int channel, int64_t z, double *light) {
    double dz_scale = 2.5; /* z is sampled more coarsely */
    for (int64_t i = 0; i < s->y * s->x; i++)
        light[i] = 100 + 30 * sin((double)i / (double)(s->x * 90));
    for (int k = 0; k < s->cell_count; k++) {
        const cell *c = &s->cells[k];
        double dz = ((double)z - c->z) * dz_scale, reach = 1.7 * c->r;
        if (fabs(dz) > reach)
            continue;
        int64_t y0 = (int64_t)fmax(0, c->y - reach),
                y1 = (int64_t)fmin((double)s->y, c->y + reach);
        int64_t x0 = (int64_t)fmax(0, c->x - reach),
                x1 = (int64_t)fmin((double)s->x, c->x + reach);
        for (int64_t y = y0; y < y1; y++)
            for (int64_t x = x0; x < x1; x++) {
                double dy = (double)y - c->y, dx = (double)x - c->x;
                light[y * s->x + x] +=
                    cell_light(c, channel % 2, dz * dz + dy * dy + dx * dx);
            }
    }
}

/* Photon noise at 0.5 electrons a count, read noise of 2 counts, offset 100. */
static void expose(const scene *s, int channel, int64_t z, const double *light,
                   uint16_t *out) {
    uint64_t state = s->seed * 1000003u + (uint64_t)(channel * 65536 + z);
    for (int64_t i = 0; i < s->y * s->x; i++) {
        double v = light[i] + sqrt(light[i] * 0.5) * normal(&state) + 2 * normal(&state);
        out[i] = (uint16_t)fmin(65535, fmax(0, floor(v + 0.5)));
    }
}

static void draw_labels(const scene *s, int64_t z, uint32_t *out) {
    memset(out, 0, (size_t)(s->y * s->x) * sizeof *out);
    for (int k = 0; k < s->cell_count; k++) {
        const cell *c = &s->cells[k];
        double dz = ((double)z - c->z) * 2.5;
        for (int64_t y = (int64_t)fmax(0, c->y - c->r);
             y < s->y && (double)y < c->y + c->r; y++)
            for (int64_t x = (int64_t)fmax(0, c->x - c->r);
                 x < s->x && (double)x < c->x + c->r; x++) {
                double dy = (double)y - c->y, dx = (double)x - c->x;
                if (dz * dz + dy * dy + dx * dx < c->r * c->r && out[y * s->x + x] == 0)
                    out[y * s->x + x] = (uint32_t)k + 1;
            }
    }
}

/* ---- files
 * ----------------------------------------------------------------------------------- */

static bool write_npy_header(FILE *f, const scene *s, bool labels) {
    char text[118];
    static const unsigned char magic[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
    int n = snprintf(
        text, sizeof text,
        "{'descr': '<%s', 'fortran_order': False, 'shape': (%lld, %lld, %lld, %lld), }",
        labels ? "u4" : "u2", (long long)s->c, (long long)s->z, (long long)s->y,
        (long long)s->x);
    memset(text + n, ' ', sizeof text - (size_t)n);
    text[sizeof text - 1] = '\n';
    return fwrite(magic, 1, sizeof magic, f) == sizeof magic &&
           fwrite(text, 1, sizeof text, f) == sizeof text;
}

static void put(unsigned char **p, uint64_t v, int bytes) {
    for (int i = 0; i < bytes; i++)
        *(*p)++ = (unsigned char)(v >> (8 * i));
}

static void put_entry(unsigned char **p, int tag, int type, uint64_t count,
                      uint64_t value) {
    put(p, (uint64_t)tag, 2);
    put(p, (uint64_t)type, 2);
    put(p, count, 8);
    put(p, value, 8);
}

static int ome_xml(const scene *s, bool labels, char *out, size_t size) {
    int n = snprintf(
        out, size,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image "
        "ID=\"Image:0\" "
        "Name=\"cells\"><Pixels ID=\"Pixels:0\" DimensionOrder=\"XYZCT\" Type=\"%s\" "
        "SizeX=\"%lld\" SizeY=\"%lld\" SizeZ=\"%lld\" SizeC=\"%lld\" SizeT=\"1\" "
        "PhysicalSizeX=\"0.325\" PhysicalSizeY=\"0.325\" PhysicalSizeZ=\"0.8\" "
        "PhysicalSizeXUnit=\"\xc2\xb5m\" PhysicalSizeYUnit=\"\xc2\xb5m\" "
        "PhysicalSizeZUnit=\"\xc2\xb5m\">",
        labels ? "uint32" : "uint16", (long long)s->x, (long long)s->y, (long long)s->z,
        (long long)s->c);
    for (int64_t c = 0; c < s->c && n < (int)size; c++)
        n +=
            snprintf(out + n, size - (size_t)n,
                     "<Channel ID=\"Channel:0:%lld\" Name=\"%s\" SamplesPerPixel=\"1\"/>",
                     (long long)c, c % 2 == 0 ? "DAPI" : "membrane");
    return n + snprintf(out + n, size - (size_t)n, "<TiffData/></Pixels></Image></OME>");
}

/* BigTIFF: header, OME-XML, then for each page its directory and one strip. */
typedef struct tiff_out {
    const scene *s;
    bool labels;
    uint64_t at; /* where the next page's directory goes */
    uint64_t xml_size;
} tiff_out;

static uint64_t tiff_page(unsigned char *out, const tiff_out *t, bool first, bool last) {
    const scene *s = t->s;
    bool labels = t->labels;
    uint64_t at = t->at;
    unsigned char *p = out;
    int entries = first ? 10 : 9;
    uint64_t directory = 8 + (uint64_t)entries * 20 + 8;
    uint64_t bytes = (uint64_t)(s->y * s->x) * (labels ? 4 : 2);
    put(&p, (uint64_t)entries, 8);
    put_entry(&p, 256, 16, 1, (uint64_t)s->x);
    put_entry(&p, 257, 16, 1, (uint64_t)s->y);
    put_entry(&p, 258, 3, 1, labels ? 32 : 16);
    put_entry(&p, 259, 3, 1, 1);
    put_entry(&p, 262, 3, 1, 1);
    if (first)
        put_entry(&p, 270, 2, t->xml_size, 16);
    put_entry(&p, 273, 16, 1, at + directory);
    put_entry(&p, 277, 3, 1, 1);
    put_entry(&p, 278, 16, 1, (uint64_t)s->y);
    put_entry(&p, 279, 16, 1, bytes);
    put(&p, last ? 0 : at + directory + bytes, 8);
    return directory;
}

static bool write_tiff_header(FILE *f, tiff_out *t) {
    static char xml[65536];
    unsigned char header[16], *p = header;
    int n = ome_xml(t->s, t->labels, xml, sizeof xml - 8);
    t->xml_size = (uint64_t)n + 1;
    t->at = 16 + (t->xml_size + 7) / 8 * 8;
    memcpy(p, "II", 2);
    p += 2;
    put(&p, 43, 2);
    put(&p, 8, 2);
    put(&p, 0, 2);
    put(&p, t->at, 8);
    return n < (int)sizeof xml - 8 && fwrite(header, 1, 16, f) == 16 &&
           fwrite(xml, 1, (size_t)(t->at - 16), f) == t->at - 16;
}

/* The directory of a page, for TIFF output. */
static bool write_directory(FILE *f, tiff_out *t, int64_t page, size_t bytes) {
    unsigned char directory[256];
    uint64_t n = tiff_page(directory, t, page == 0, page + 1 == t->s->c * t->s->z);
    t->at += n + bytes;
    return fwrite(directory, 1, (size_t)n, f) == n;
}

static bool write_pages(FILE *f, tiff_out *t, bool tiff) {
    const scene *s = t->s;
    size_t count = (size_t)(s->y * s->x), item = t->labels ? 4 : 2;
    double *light = malloc(count * sizeof *light);
    void *pixels = malloc(count * item);
    bool ok = light != NULL && pixels != NULL;
    for (int64_t page = 0; ok && page < s->c * s->z; page++) {
        if (t->labels) {
            draw_labels(s, page % s->z, pixels);
        } else {
            draw_plane(s, (int)(page / s->z), page % s->z, light);
            expose(s, (int)(page / s->z), page % s->z, light, pixels);
        }
        ok = !tiff || write_directory(f, t, page, count * item);
        ok = ok && fwrite(pixels, item, count, f) == count;
    }
    free(light);
    free(pixels);
    return ok;
}

static int write_sample(const scene *s, const char *path, bool labels) {
    bool tiff = cli_ends_with(path, ".tif") || cli_ends_with(path, ".tiff");
    tiff_out t = {s, labels, 0, 0};
    if (!tiff && !cli_ends_with(path, ".npy")) {
        fprintf(stderr,
                "ngff sample: '%s': expected a name ending in .npy, .tif or .tiff\n",
                path);
        return EXIT_USAGE;
    }
    FILE *f = fopen(path, "wbx");
    if (f == NULL) {
        fprintf(stderr, "ngff sample: %s: cannot be created, or exists\n", path);
        return EXIT_EXISTS;
    }
    bool ok = tiff ? write_tiff_header(f, &t) : write_npy_header(f, s, labels);
    ok = ok && write_pages(f, &t, tiff);
    if (fclose(f) != 0 || !ok) {
        remove(path);
        fprintf(stderr, "ngff sample: %s: could not be written\n", path);
        return EXIT_OUTPUT;
    }
    return EXIT_OK;
}

int cli_sample(const cli_args *args) {
    scene s = {2, 64, 512, 512, 1, 0, NULL};
    const char *shape = cli_get(args, "--shape"), *seed = cli_get(args, "--seed");
    int64_t extents[NGFF_MAX_NDIM];
    int ndim = 0;
    long long n = 1;

    if (shape != NULL && !cli_shape("--shape", shape, extents, &ndim))
        return EXIT_USAGE;
    if (shape != NULL && (ndim != 4 || extents[0] > 64 || extents[1] > 65536 ||
                          extents[2] > 65536 || extents[3] > 65536)) {
        fprintf(stderr, "ngff sample: --shape '%s': expected C,Z,Y,X\n", shape);
        return EXIT_USAGE;
    }
    if (seed != NULL && !cli_int("--seed", seed, 0, INT32_MAX, &n))
        return EXIT_USAGE;
    if (shape != NULL) {
        s.c = extents[0];
        s.z = extents[1];
        s.y = extents[2];
        s.x = extents[3];
    }
    s.seed = (uint64_t)n;
    if (!make_cells(&s))
        return EXIT_LIMIT;
    int code = write_sample(&s, args->operand[0], cli_has(args, "--labels"));
    free(s.cells);
    return code;
}
