#include "tracer/collect/image.h"

#include <elf.h>
#include <fcntl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_NONE
#endif

#define PROBABLY                                                                                   \
    "the probe could not be loaded, or could not reach the recorder (another user, a chroot, "     \
    "LD_PRELOAD removed?)"

/* Has it a PT_INTERP, that is: does the dynamic loader, which reads LD_PRELOAD, start it? */
static bool asks_for_loader(int fd, const Elf64_Ehdr *header)
{
    for (unsigned i = 0; i < header->e_phnum && i < 256; i++) {
        Elf64_Phdr segment;
        off_t at = (off_t)(header->e_phoff + (uint64_t)i * header->e_phentsize);
        if (pread(fd, &segment, sizeof segment, at) != (ssize_t)sizeof segment)
            return true; /* a damaged file: say nothing of it */
        if (segment.p_type == PT_INTERP)
            return true;
    }
    return false;
}

static const char *look_into(int fd)
{
    struct stat status;
    Elf64_Ehdr header;
    if (fstat(fd, &status) == 0 && status.st_mode & (S_ISUID | S_ISGID))
        return "a set-user-id program: the loader ignores LD_PRELOAD for it";
    if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return PROBABLY;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || (MACHINE && header.e_machine != MACHINE))
        return "built for another architecture than Reel's probe";
    if (!asks_for_loader(fd, &header))
        return "statically linked: nothing can be preloaded into it";
    return PROBABLY;
}

const char *reel_image_unrecorded_reason(const char *path)
{
    if (!path)
        return "the probe did not come up in it (statically linked, set-user-id, out of reach?)";
    g_autofree char *found = strchr(path, '/') ? g_strdup(path) : g_find_program_in_path(path);
    int fd = found ? open(found, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return PROBABLY;
    const char *reason = look_into(fd);
    close(fd);
    return reason;
}
