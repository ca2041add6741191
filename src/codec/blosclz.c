/* codec: bounds-checked decoders of two byte-oriented LZ formats found inside blosc
 * chunks: blosclz (blosc's own) and snappy. Every read and every write is checked against
 * its span. */
#include "codec/chain.h"

typedef struct lz {
    const unsigned char *in, *in_end;
    unsigned char *start, *out, *out_end;
} lz;

static bool copy_literals(lz *z, size_t count) {
    if ((size_t)(z->in_end - z->in) < count || (size_t)(z->out_end - z->out) < count)
        return false;
    memcpy(z->out, z->in, count);
    z->in += count;
    z->out += count;
    return true;
}

/* Overlapping copies repeat the bytes between: the reason for the byte loop. */
static bool copy_match(lz *z, size_t distance, size_t count) {
    if (distance == 0 || distance > (size_t)(z->out - z->start) ||
        count > (size_t)(z->out_end - z->out))
        return false;
    const unsigned char *from = z->out - distance;
    if (distance >= count) {
        memcpy(z->out, from, count);
    } else if (distance == 1) {
        memset(z->out, *from, count);
    } else {
        for (size_t i = 0; i < count; i++)
            z->out[i] = from[i];
    }
    z->out += count;
    return true;
}

static bool next_byte(lz *z, size_t *out) {
    if (z->in == z->in_end)
        return false;
    *out = *z->in++;
    return true;
}

/* ---- blosclz ---- */

/* Distances from here on take two more bytes. */
enum { FAR_DISTANCE = 8191 };

/* Token: three bits of length (7: more bytes follow, each 255 continues), five high bits
 * of the distance, then its low byte. A low byte 255 under five set bits announces a
 * 16-bit distance. */
static bool blosclz_match(lz *z, size_t token) {
    size_t length = (token >> 5) - 1, byte = 0;
    size_t high = (token & 31) << 8;
    if (length == 6) {
        do {
            if (!next_byte(z, &byte))
                return false;
            length += byte;
        } while (byte == 255);
    }
    if (!next_byte(z, &byte))
        return false;
    size_t distance = high + byte + 1;
    if (byte == 255 && high == (size_t)31 << 8) {
        size_t far_high, far_low;
        if (!next_byte(z, &far_high) || !next_byte(z, &far_low))
            return false;
        distance = (far_high << 8) + far_low + FAR_DISTANCE + 1;
    }
    return copy_match(z, distance, length + 3);
}

bool ngff_blosclz_decode(ngff_codec_span in, ngff_codec_room out) {
    lz z = {in.data, in.data + in.size, out.data, out.data, out.data + out.size};
    size_t token;
    bool first = true;
    while (next_byte(&z, &token)) {
        if (first) /* the first token is always literals; its high bits mark the level */
            token &= 31;
        first = false;
        if (token >= 32 ? !blosclz_match(&z, token) : !copy_literals(&z, token + 1))
            return false;
    }
    return z.out == z.out_end;
}

/* ---- snappy ---- */

static bool little(lz *z, size_t bytes, size_t *out) {
    *out = 0;
    for (size_t i = 0; i < bytes; i++) {
        size_t byte;
        if (!next_byte(z, &byte))
            return false;
        *out |= byte << (8 * i);
    }
    return true;
}

static bool varint(lz *z, size_t *out) {
    size_t byte;
    *out = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (!next_byte(z, &byte))
            return false;
        *out |= (byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool snappy_step(lz *z, size_t tag) {
    size_t length, distance, low;
    switch (tag & 3) {
    case 0:
        length = tag >> 2;
        if (length >= 60 && !little(z, length - 59, &length))
            return false;
        return copy_literals(z, length + 1);
    case 1:
        if (!next_byte(z, &low))
            return false;
        length = 4 + (tag >> 2 & 7);
        distance = (tag >> 5) << 8 | low;
        return copy_match(z, distance, length);
    default:
        if (!little(z, (tag & 3) == 2 ? 2 : 4, &distance))
            return false;
        return copy_match(z, distance, 1 + (tag >> 2));
    }
}

bool ngff_snappy_decode(ngff_codec_span in, ngff_codec_room out) {
    lz z = {in.data, in.data + in.size, out.data, out.data, out.data + out.size};
    size_t declared, tag;
    if (!varint(&z, &declared) || declared != out.size)
        return false;
    while (next_byte(&z, &tag)) {
        if (!snappy_step(&z, tag))
            return false;
    }
    return z.out == z.out_end;
}
