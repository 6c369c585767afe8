#include "tracer/store/rollback_journal.h"

#include "tracer/store/page_writer_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { sector_bytes = 4096 }; /* the header is padded to it, so that it is written alone */

/* A name in a directory is safe only once the directory is. */
static int sync_directory_of(const char *name)
{
    char *copy = strdup(name);
    if (!copy)
        return -ENOMEM;
    char *slash = strrchr(copy, '/');
    if (slash)
        slash[slash == copy] = '\0';
    int directory = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (directory < 0)
        return -errno;
    int result = fsync(directory) == 0 || errno == EINVAL ? 0 : -errno;
    close(directory);
    return result;
}

static uint32_t checksum(const uint8_t *page, uint32_t page_bytes, uint32_t nonce)
{
    for (int64_t at = (int64_t)page_bytes - 200; at > 0; at -= 200)
        nonce += page[at];
    return nonce;
}

static int write_all(int file, const uint8_t *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t written = write(file, from, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        from += written;
        bytes -= (size_t)written;
    }
    return 0;
}

int reel_rollback_journal_write(const char *name, uint32_t page_bytes, uint32_t pages_before,
                                const struct reel_saved_page *pages, unsigned count)
{
    static const uint8_t magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    size_t record = 4 + (size_t)page_bytes + 4, bytes = sector_bytes + count * record;
    uint8_t *content = calloc(1, bytes);
    int file = -1, result = -ENOMEM;
    if (!content)
        goto out;
    uint32_t nonce = 0;
    if (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce)
        nonce = (uint32_t)getpid();
    memcpy(content, magic, sizeof magic);
    reel_put_32(content + 8, count);
    reel_put_32(content + 12, nonce);
    reel_put_32(content + 16, pages_before);
    reel_put_32(content + 20, sector_bytes);
    reel_put_32(content + 24, page_bytes);
    uint8_t *to = content + sector_bytes;
    for (unsigned i = 0; i < count; i++, to += record) {
        reel_put_32(to, pages[i].number);
        memcpy(to + 4, pages[i].content, page_bytes);
        reel_put_32(to + 4 + page_bytes, checksum(pages[i].content, page_bytes, nonce));
    }
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    result = file < 0 ? -errno : write_all(file, content, bytes);
    if (result == 0 && fdatasync(file) != 0)
        result = -errno;
    if (result == 0)
        result = sync_directory_of(name);
    if (result != 0 && file >= 0)
        unlink(name); /* nothing has been changed yet */
out:
    if (file >= 0)
        close(file);
    free(content);
    return result;
}

int reel_rollback_journal_remove(const char *name)
{
    return unlink(name) == 0 ? sync_directory_of(name) : -errno;
}
