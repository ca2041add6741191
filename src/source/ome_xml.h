/* ome_xml: what this library needs of an OME-XML document (Pixels, Channel, TiffData,
 * Plane), through expat. No document type, no entities, bounded depth and size. The
 * document owns everything; strings are offsets into one text and never move for the
 * reader. One thread. */
#ifndef NGFF_SOURCE_OME_XML_H
#define NGFF_SOURCE_OME_XML_H

#include "source/tiff_series.h"

typedef struct ngff_xml_channel {
    size_t name;
    int64_t samples;
    bool has_color;
    uint32_t color; /* RGBA, red highest (OME schema: Color) */
} ngff_xml_channel;

/* TiffData: planes from (t, c, z) on are `count` directories from `ifd` on. */
typedef struct ngff_xml_data {
    int64_t first[3]; /* by NGFF_TIFF_T, _C, _Z */
    int64_t ifd, count;
    bool has_ifd, has_count;
    size_t uuid, file;
} ngff_xml_data;

typedef struct ngff_xml_image {
    size_t name;
    char order[6]; /* DimensionOrder: "XYZCT" */
    int64_t size[NGFF_TIFF_DIMS];
    double spacing[NGFF_TIFF_DIMS]; /* 0: not given */
    double origin[NGFF_TIFF_DIMS];  /* of the first plane */
    bool has_origin[NGFF_TIFF_DIMS];
    char unit[NGFF_TIFF_DIMS][32];
    char origin_unit[NGFF_TIFF_DIMS][32];
    size_t channel_first, channel_count;
    size_t data_first, data_count;
} ngff_xml_image;

typedef struct ngff_ome_xml {
    const ngff_allocator *alloc;
    ngff_buf text;
    size_t uuid, metadata_file;
    ngff_xml_image *images;
    ngff_xml_channel *channels;
    ngff_xml_data *data;
    size_t image_count, image_capacity;
    size_t channel_count, channel_capacity;
    size_t data_count, data_capacity;
} ngff_ome_xml;

NGFF_MUST_USE ngff_status ngff_ome_xml_parse(const ngff_allocator *a, const char *text,
                                             size_t size, ngff_ome_xml *out,
                                             ngff_error *err);
void ngff_ome_xml_reset(ngff_ome_xml *x);
static inline const char *ngff_ome_xml_text(const ngff_ome_xml *x, size_t at) {
    return at == 0 ? "" : x->text.data + at;
}

#endif
