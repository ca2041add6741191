/* judge: documents against the rules of their version, one call of the caller's function
 * a broken rule. A judge is a value of its caller; owns nothing; one thread. */
#ifndef NGFF_OME_JUDGE_H
#define NGFF_OME_JUDGE_H

#include "ome/ome.h"

typedef struct ngff_judge {
    ngff_finding_fn fn;
    void *user;
    const char *where;    /* of the group; starts every message */
    ngff_version version; /* as the attributes say */
} ngff_judge;

/* The axes of a multiscales entry of any version as they stand there; NULL: none. */
const ngff_json *ngff_ome_raw_axes(const ngff_json *entry);
/* A broken rule; `level` is "MUST" or "SHOULD". */
void ngff_judge_say(const ngff_judge *j, const char *rule, const char *level,
                    const char *format, ...) NGFF_PRINTF(4, 5);
/* The attributes of a group that holds an image; sets j->version. */
void ngff_ome_judge(ngff_judge *j, const ngff_json *attributes, int zarr_format);

#endif
