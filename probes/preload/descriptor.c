#include "probes/preload/descriptor.h"

#include <string.h>
#include <sys/stat.h>

#include "probes/preload/raw.h"

_Atomic uint64_t reel_descriptors[REEL_DESCRIPTOR_LIMIT];

#define BY_INODE                                                                                   \
    (1ull << 55) /* identities of things nobody saw being made: from device and inode */

uint64_t reel_descriptor_new(enum reel_class class)
{
    uint64_t number =
        atomic_fetch_add_explicit(&reel_probe.region->next_descriptor, 1, memory_order_relaxed) + 1;
    return (uint64_t) class << 56 | (number & (BY_INODE - 1));
}

void reel_descriptor_opened(struct reel_tls *tls, int fd, uint64_t entry, int peer, uint32_t stack)
{
    reel_descriptor_set(fd, entry);
    uint64_t word = (uint64_t)(int64_t)peer;
    reel_emit_words(tls, REEL_KIND(REEL_OP_OPEN, REEL_DESCRIPTOR_CLASS(entry), 0),
                    REEL_DESCRIPTOR_IDENTITY(entry), 0, (uint32_t)fd, stack, &word, 1);
}

uint64_t reel_descriptor_know(struct reel_tls *tls, int fd, enum reel_class class)
{
    uint64_t entry = reel_descriptor_get(fd);
    if (entry)
        return entry;
    entry = reel_descriptor_new(class);
    reel_descriptor_opened(tls, fd, entry, -1, 0);
    return entry;
}

static uint64_t look_at(int fd)
{
    struct stat status;
    if (reel_raw4(SYS_fstat, fd, (long)&status, 0, 0) != 0)
        return 0;
    enum reel_class class = S_ISFIFO(status.st_mode)   ? REEL_CLASS_PIPE
                            : S_ISSOCK(status.st_mode) ? REEL_CLASS_SOCKET
                                                       : REEL_CLASS_FILE;
    uint64_t mixed = ((uint64_t)status.st_dev << 40) ^ (uint64_t)status.st_ino;
    return (uint64_t) class << 56 | BY_INODE | (mixed & (BY_INODE - 1));
}

static uint64_t take_hexadecimal(const char **text)
{
    uint64_t value = 0;
    for (;; ++*text) {
        char digit = **text;
        if (digit >= '0' && digit <= '9')
            value = value << 4 | (uint64_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            value = value << 4 | (uint64_t)(digit - 'a' + 10);
        else
            return value;
    }
}

void reel_descriptors_inherit(const char *text)
{
    while (text && *text) {
        uint64_t fd = take_hexadecimal(&text);
        if (*text != '=')
            break;
        text++;
        uint64_t entry = take_hexadecimal(&text);
        /* Those that exec closed are not there any more. */
        if (fd < REEL_DESCRIPTOR_LIMIT && reel_raw4(SYS_fcntl, (long)fd, F_GETFD, 0, 0) >= 0)
            reel_descriptor_set((int)fd, entry);
        if (*text == ',')
            text++;
    }
    for (int fd = 0; fd <= 2; fd++)
        if (!reel_descriptor_get(fd))
            reel_descriptor_set(fd, look_at(fd));
}

static char *put_hexadecimal(char *out, uint64_t value)
{
    char digits[16];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    while (count)
        *out++ = digits[--count];
    return out;
}

#define LISTED       160u
#define LISTED_BYTES 24u /* of one: four digits, sixteen digits, two marks */

size_t reel_descriptors_size(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 1024 && count < LISTED; fd++)
        count += reel_descriptor_get(fd) != 0;
    return sizeof "REEL_FDS=" + (count + 1) * LISTED_BYTES;
}

void reel_descriptors_write(char *out, size_t size)
{
    char *end = out + size;
    memcpy(out, "REEL_FDS=", sizeof "REEL_FDS=");
    out += sizeof "REEL_FDS=" - 1;
    for (int fd = 0; fd < 1024 && out + LISTED_BYTES < end; fd++) {
        uint64_t entry = reel_descriptor_get(fd);
        if (!entry)
            continue;
        out = put_hexadecimal(out, (uint64_t)fd);
        *out++ = '=';
        out = put_hexadecimal(out, entry);
        *out++ = ',';
    }
    *out = '\0';
}
