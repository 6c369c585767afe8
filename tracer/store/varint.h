/* Variable-length integers of the chunk format: seven bits a byte, low bits first, the high bit
 * says that more follow (LEB128); small signed numbers become small unsigned ones by zig-zag. */
#ifndef REEL_STORE_VARINT_H
#define REEL_STORE_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REEL_VARINT_LIMIT 10u /* bytes of the longest one */

static inline uint64_t reel_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t reel_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* Writes at most REEL_VARINT_LIMIT bytes; returns the end. */
static inline uint8_t *reel_varint_put(uint8_t *to, uint64_t value)
{
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline unsigned reel_varint_bytes(uint64_t value)
{
    unsigned bits = 64u - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Untrusted bytes being read. After the first thing that is wrong, `bad` stays set, everything
 * reads as 0 and nothing more is consumed: callers check once, at the end, unless a value steers
 * them. */
struct reel_bytes {
    const uint8_t *at, *end;
    bool bad;
};

static inline uint64_t reel_bytes_fail(struct reel_bytes *bytes)
{
    bytes->bad = true;
    bytes->at = bytes->end;
    return 0;
}

static inline uint64_t reel_bytes_varint(struct reel_bytes *bytes)
{
    if (bytes->at < bytes->end && *bytes->at < 0x80)
        return *bytes->at++;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && bytes->at < bytes->end; shift += 7) {
        uint8_t byte = *bytes->at++;
        if (shift == 63 && byte > 1)
            break; /* more than 64 bits */
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    return reel_bytes_fail(bytes);
}

static inline uint8_t reel_bytes_byte(struct reel_bytes *bytes)
{
    return bytes->at < bytes->end ? *bytes->at++ : (uint8_t)reel_bytes_fail(bytes);
}

/* Splits off the next `count` bytes. */
static inline struct reel_bytes reel_bytes_take(struct reel_bytes *bytes, uint64_t count)
{
    if (count > (uint64_t)(bytes->end - bytes->at)) {
        reel_bytes_fail(bytes);
        return (struct reel_bytes){bytes->end, bytes->end, true};
    }
    struct reel_bytes part = {bytes->at, bytes->at + count, false};
    bytes->at += count;
    return part;
}

#endif
