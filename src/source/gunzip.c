/* source: gzip and zlib streams read as plain files (RFC 1950, 1952), by zlib. */
#include "source/gunzip.h"

#include <inttypes.h>
#include <zlib.h>

#define INPUT ((size_t)64 << 10)
#define WINDOW ((size_t)256 << 10)
#define GZIP_BITS (15 + 16) /* the largest window, gzip framing only */
#define ANY_BITS (15 + 32)  /* … or that of zlib */

struct ngff_gunzip {
    const ngff_allocator *alloc;
    const ngff_file *file;
    const char *path;
    z_stream z;
    bool started;
    bool ended;
    uint64_t begin;      /* of the stream in the file */
    uint64_t in_off;     /* of the next byte to read from the file */
    uint64_t window_off; /* decoded position of window[0] */
    size_t window_len;
    unsigned char in[INPUT];
    unsigned char window[WINDOW];
};

static voidpf z_take(voidpf user, uInt count, uInt size) {
    return ngff_calloc(user, count, size);
}

static void z_release(voidpf user, voidpf block) {
    ngff_free(user, block);
}

static ngff_status start(ngff_gunzip *gz, ngff_error *err) {
    if (gz->started)
        inflateEnd(&gz->z);
    /* zlib hands the allocator back, it never writes through it. */
    union {
        const ngff_allocator *in;
        void *out;
    } user = {.in = gz->alloc};
    gz->z = (z_stream){.zalloc = z_take, .zfree = z_release, .opaque = user.out};
    gz->started = inflateInit2(&gz->z, ANY_BITS) == Z_OK;
    gz->ended = false;
    gz->in_off = gz->begin;
    gz->window_off = 0;
    gz->window_len = 0;
    return gz->started ? NGFF_OK : ngff_fail_nomem(err, "gzip decoder", WINDOW);
}

ngff_status ngff_gunzip_open(const ngff_allocator *a, const ngff_file *file,
                             const char *path, uint64_t begin, ngff_gunzip **out,
                             ngff_error *err) {
    *out = NULL;
    ngff_gunzip *gz = ngff_calloc(a, 1, sizeof *gz);
    if (!gz)
        return ngff_fail_nomem(err, "gzip decoder", sizeof *gz);
    gz->alloc = a;
    gz->file = file;
    gz->path = path;
    gz->begin = begin;
    ngff_status s = start(gz, err);
    if (s != NGFF_OK)
        ngff_gunzip_close(&gz);
    *out = gz;
    return s;
}

void ngff_gunzip_close(ngff_gunzip **gz) {
    if (!*gz)
        return;
    if ((*gz)->started)
        inflateEnd(&(*gz)->z);
    ngff_free((*gz)->alloc, *gz);
    *gz = NULL;
}

/* Keeps what is left of the input and adds from the file. */
static ngff_status refill(ngff_gunzip *gz, ngff_error *err) {
    size_t left = gz->z.avail_in;
    if (left > 0)
        memmove(gz->in, gz->z.next_in, left);
    size_t got = 0;
    NGFF_TRY(ngff_file_pread(gz->file, gz->in + left, INPUT - left, gz->in_off, &got,
                             gz->path, err));
    gz->in_off += got;
    gz->z.next_in = gz->in;
    gz->z.avail_in = (uInt)(left + got);
    return NGFF_OK;
}

/* After the end of a member: another one, or the end (what follows then is padding). */
static ngff_status next_member(ngff_gunzip *gz, ngff_error *err) {
    if (gz->z.avail_in < 2)
        NGFF_TRY(refill(gz, err));
    if (gz->z.avail_in < 2 || gz->z.next_in[0] != 0x1f || gz->z.next_in[1] != 0x8b)
        gz->ended = true;
    else if (inflateReset(&gz->z) != Z_OK)
        return ngff_fail(err, NGFF_INTERNAL, "%s: zlib refuses to start over", gz->path);
    return NGFF_OK;
}

static ngff_status damaged(const ngff_gunzip *gz, ngff_error *err) {
    return ngff_fail(err, NGFF_FORMAT, "%s: damaged gzip stream at byte %" PRIu64 " (%s)",
                     gz->path, gz->in_off - gz->z.avail_in,
                     gz->z.msg ? gz->z.msg : "no dictionary");
}

/* Decodes a piece onto the end of the window. */
static ngff_status advance(ngff_gunzip *gz, ngff_error *err) {
    if (gz->window_len == WINDOW) {
        memmove(gz->window, gz->window + WINDOW / 2, WINDOW / 2);
        gz->window_off += WINDOW / 2;
        gz->window_len = WINDOW / 2;
    }
    if (gz->z.avail_in == 0)
        NGFF_TRY(refill(gz, err));
    if (gz->z.avail_in == 0)
        return ngff_fail(err, NGFF_FORMAT,
                         "%s: gzip stream is cut short after %" PRIu64 " bytes", gz->path,
                         gz->in_off);
    size_t room = WINDOW - gz->window_len;
    gz->z.next_out = gz->window + gz->window_len;
    gz->z.avail_out = (uInt)room;
    int answer = inflate(&gz->z, Z_NO_FLUSH);
    gz->window_len += room - gz->z.avail_out;
    if (answer == Z_STREAM_END)
        return next_member(gz, err);
    if (answer == Z_MEM_ERROR)
        return ngff_fail_nomem(err, "gzip decoder", WINDOW);
    if (answer != Z_OK && answer != Z_BUF_ERROR)
        return damaged(gz, err);
    return NGFF_OK;
}

ngff_status ngff_gunzip_read(ngff_gunzip *gz, void *out, size_t size, uint64_t offset,
                             size_t *got, ngff_error *err) {
    char *target = out;
    *got = 0;
    if (!gz->started || offset < gz->window_off)
        NGFF_TRY(start(gz, err));
    while (*got < size) {
        uint64_t at = offset + *got;
        uint64_t end = gz->window_off + gz->window_len;
        assert(at >= gz->window_off);
        if (at < end) {
            size_t have = (size_t)(end - at);
            size_t n = have < size - *got ? have : size - *got;
            memcpy(target + *got, gz->window + (at - gz->window_off), n);
            *got += n;
        } else if (gz->ended) {
            return NGFF_OK;
        } else {
            NGFF_TRY(advance(gz, err));
        }
    }
    return NGFF_OK;
}

size_t ngff_gunzip_head(const unsigned char *head, size_t n, unsigned char *out,
                        size_t out_size) {
    unsigned char in[4096];
    if (n < 2 || n > sizeof in || head[0] != 0x1f || head[1] != 0x8b)
        return 0;
    memcpy(in, head, n);
    z_stream z = {.zalloc = z_take,
                  .zfree = z_release,
                  .next_in = in,
                  .avail_in = (uInt)n,
                  .next_out = out,
                  .avail_out = (uInt)out_size};
    if (inflateInit2(&z, GZIP_BITS) != Z_OK)
        return 0;
    int answer = inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    bool good = answer == Z_OK || answer == Z_STREAM_END || answer == Z_BUF_ERROR;
    return good ? out_size - z.avail_out : 0;
}
