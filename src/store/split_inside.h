/* The inside of a pair of stores: what its values (split.c), its generations
 * (split_begin.c) and opening (split_open.c) share.
 */
#ifndef NGFF_STORE_SPLIT_INSIDE_H
#define NGFF_STORE_SPLIT_INSIDE_H

#include "store/inside.h"

typedef struct ngff_split {
    ngff_store base;
    ngff_store *metadata, *chunks; /* borrowed */
    ngff_store *documents;         /* own; where documents are when not NULL */
    ngff_mutex *mutex;             /* over `begun` and what comes with it */
    ngff_store_generation now;     /* of what is read and written */
    ngff_store_generation old;     /* named by the metadata that is replaced */
    bool begun;                    /* `now` is new and not published */
    bool plain;                    /* both halves are one place */
} ngff_split;

static inline ngff_split *ngff_split_of(ngff_store *s) {
    return (ngff_split *)s;
}

extern const ngff_store_vtable ngff_split_ops, ngff_split_ordered_ops;

/* A fresh generation, once: before the first value is written. Any thread. */
ngff_status ngff_split_begin(ngff_split *p, ngff_error *err);
/* Documents gather in memory from now on, under the name of the metadata half. */
ngff_status ngff_split_hold_documents(ngff_split *p, ngff_error *err);
ngff_status ngff_split_publish(ngff_store *s, ngff_error *err);
void ngff_split_discard_half(ngff_store *half);
void ngff_split_close(ngff_store *s);

#endif
