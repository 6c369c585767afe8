/* Does the program that is about to be executed tell its accesses to memory? Then the runtime for
 * that (probes/memory) is preloaded beside us. The file is looked at by system calls of our own. */
#include "probes/preload/instrumented.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "probes/event/note.h"
#include "probes/preload/raw.h"

static ssize_t read_at(int descriptor, void *buffer, size_t size, off_t offset)
{
    return reel_raw4(SYS_pread64, descriptor, (long)buffer, (long)size, offset);
}

static bool has_note(const char *path)
{
    int descriptor = (int)reel_raw4(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (descriptor < 0)
        return false;
    bool found = reel_note_in(descriptor, read_at);
    reel_raw4(SYS_close, descriptor, 0, 0, 0);
    return found;
}

bool reel_is_instrumented(const char *file)
{
    char path[4096];
    if (!file || !*file)
        return false;
    if (strchr(file, '/'))
        return has_note(file);
    /* As execvp looks for it. */
    const char *folder = getenv("PATH");
    for (; folder && *folder; folder += strcspn(folder, ":"), folder += *folder == ':') {
        size_t length = strcspn(folder, ":");
        if (length + strlen(file) + 2 > sizeof path)
            continue;
        memcpy(path, folder, length);
        path[length] = '/';
        strcpy(path + length + 1, file);
        if (reel_raw4(SYS_faccessat, AT_FDCWD, (long)path, X_OK, 0) == 0)
            return has_note(path);
    }
    return false;
}
