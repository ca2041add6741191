/* headed: what NRRD and MetaImage share: a text header of lines, and pixels at fixed
 * strides, plain or as one deflate stream, behind it or in a file of their own beside it.
 * A source owns its file and the data file's path. */
#ifndef NGFF_SOURCE_HEADED_H
#define NGFF_SOURCE_HEADED_H

#include "source/kinds.h"

typedef struct ngff_source_headed {
    ngff_source_strided strided;
    char *data_path; /* of a file of pixels alone, or NULL */
    /* The header while it is read; freed by ngff_headed_finish. */
    char *text;
    size_t text_size, at;
} ngff_source_headed;

/* A new source with the beginning of its file as text. */
NGFF_MUST_USE ngff_status ngff_headed_new(const ngff_allocator *a,
                                          const ngff_source_vtable *ops, const char *path,
                                          ngff_source_headed **out, ngff_error *err);
/* The next line without its end, NUL-terminated; NULL at the end of the text. `at` is
 * then where the next one begins in the file. */
char *ngff_headed_line(ngff_source_headed *h);
/* `text` without the blanks at both ends, in place. */
char *ngff_headed_trimmed(char *text);
/* What a field of the header is called, in small letters; a table of them ends with a
 * NULL name. */
typedef struct ngff_headed_name {
    const char *name;
    int field;
} ngff_headed_name;
/* The first name of a field, for messages. */
const char *ngff_headed_spelled(const ngff_headed_name *names, int field);
/* values[field] becomes the value of the field that `name`, whose case does not count,
 * stands for. Unknown names are nothing. False: it has a value already. */
bool ngff_headed_field(const ngff_headed_name *names, char *name, char *value,
                       char **values);
/* Numbers between blanks: how many there are, at most `most` + 1 (one more than fits), -1
 * for one that is none. "nan" is one. */
int ngff_headed_reals(const char *text, double *out, int most);
int ngff_headed_whole(const char *text, int64_t *out, int most);
/* The pixels lie in `name`, a file in or below the header's directory; several files are
 * UNSUPPORTED. */
NGFF_MUST_USE ngff_status ngff_headed_detach(ngff_source_headed *h, const char *name,
                                             ngff_error *err);
/* The layout is complete but for `offset`: the pixels begin at byte `begin` of the file,
 * or after `skip` decoded bytes of the stream that begins there; `begin` < 0: they end
 * where the file does. Fills the image. */
NGFF_MUST_USE ngff_status ngff_headed_finish(ngff_source_headed *h, int64_t begin,
                                             bool stream, int64_t skip, const char *dims,
                                             ngff_error *err);
void ngff_headed_close(ngff_source *s);

#endif
