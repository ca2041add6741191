/* Option rows that several commands have, each told once. Used in tables of cli_option.
 */
#ifndef NGFF_CLI_ROWS_H
#define NGFF_CLI_ROWS_H

#include "cli.h"

/* clang-format off */
#define CLI_ROW_MIN_SIZE                                                                 \
    {"--min-size", NULL, "N",                                                            \
     "automatic levels: the size below which no axis is halved (default 128)"}
#define CLI_ROW_ISOTROPIC                                                                \
    {"--isotropic", NULL, NULL,                                                          \
     "automatic levels: halve axes so that voxels become cubes"}
#define CLI_ROW_METHOD                                                                   \
    {"--method", "-m", "NAME",                                                           \
     "downsampling method (default gaussian; see `ngff methods`)"}
#define CLI_ROW_LEVEL                                                                    \
    {"--compression-level", NULL, "N", "level of the codec"}
#define CLI_ROW_SHUFFLE                                                                  \
    {"--shuffle", NULL, "KIND", "blosc: none, byte or bit (default: by data type)"}
#define CLI_ROW_EMPTY                                                                    \
    {"--write-empty-chunks", NULL, NULL, "store chunks that hold only zeros"}
#define CLI_ROW_MEMORY                                                                   \
    {"--memory-target", NULL, "SIZE",                                                    \
     "memory the job may hold, e.g. 256M (default: a quarter of what this process may "  \
     "use, at most 4G)"}
#define CLI_ROW_THREADS                                                                  \
    {"--threads", "-j", "N", "threads (default: all cores this process may use)"}
#define CLI_ROW_NO_SPILL                                                                 \
    {"--no-spill", NULL, NULL,                                                           \
     "refuse instead of using a temporary file beside the output"}
#define CLI_ROW_DURABILITY                                                               \
    {"--durability", NULL, "HOW",                                                        \
     "publish: flushed before it appears (default); none; each: every file flushed as "  \
     "it is finished"}
#define CLI_ROW_CHUNK_STORE                                                              \
    {"--chunk-store", NULL, "PATH", "where the chunks are, if not with the metadata"}
#define CLI_ROW_JSON                                                                     \
    {"--json", NULL, NULL, "print one JSON object on standard output"}
#define CLI_ROW_PROGRESS                                                                 \
    {"--progress", NULL, "HOW", "auto, bar, json or none, on standard error"}
#define CLI_ROW_QUIET                                                                    \
    {"--quiet", "-q", NULL, "no progress, no warnings"}
#define CLI_ROWS_END {NULL, NULL, NULL, NULL}
/* clang-format on */

#endif
