#include "tracer/collect/watch_code.h"

#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tracer/collect/live_target.h"

#define KNOWN_LIMIT 65536u

struct mapping {
    pid_t pid;
    uint64_t start, end, offset;
    char *path;
};

struct reel_watch_code {
    GArray *mappings;  /* struct mapping: of code */
    GHashTable *known; /* process and address → struct reel_watch_code_bytes */
};

static void clear_mapping(void *mapping)
{
    g_free(((struct mapping *)mapping)->path);
}

struct reel_watch_code *reel_watch_code_new(void)
{
    struct reel_watch_code *code = g_new0(struct reel_watch_code, 1);
    code->mappings = g_array_new(FALSE, FALSE, sizeof(struct mapping));
    g_array_set_clear_func(code->mappings, clear_mapping);
    code->known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    return code;
}

void reel_watch_code_free(struct reel_watch_code *code)
{
    if (!code)
        return;
    g_array_free(code->mappings, TRUE);
    g_hash_table_destroy(code->known);
    g_free(code);
}

void reel_watch_code_map(struct reel_watch_code *code, pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        struct mapping mapping = {.pid = pid};
        char mode[5];
        int name_at = 0;
        if (sscanf(*line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &mapping.start,
                   &mapping.end, mode, &mapping.offset, &name_at) < 4 ||
            mode[2] != 'x' || (*line)[name_at] != '/')
            continue;
        mapping.path = g_strdup(*line + name_at);
        g_array_append_val(code->mappings, mapping);
    }
}

static bool read_file(const struct mapping *mapping, uint64_t address, void *bytes, size_t count)
{
    int file = open(mapping->path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t got = pread(file, bytes, count, (off_t)(address - mapping->start + mapping->offset));
    close(file);
    return got == (ssize_t)count;
}

static bool read_code(const struct reel_watch_code *code, pid_t pid, uint64_t address, void *bytes,
                      size_t count)
{
    if (reel_live_read(pid, address, bytes, count))
        return true;
    for (guint i = code->mappings->len; i-- > 0;) {
        const struct mapping *mapping = &g_array_index(code->mappings, struct mapping, i);
        if (mapping->pid == pid && address >= mapping->start && address + count <= mapping->end)
            return read_file(mapping, address, bytes, count);
    }
    return false;
}

struct reel_watch_code_bytes reel_watch_code_before(struct reel_watch_code *code, pid_t pid,
                                                    uint64_t address)
{
    const uint64_t key = address ^ (uint64_t)(uint32_t)pid << 47;
    const struct reel_watch_code_bytes *known = g_hash_table_lookup(code->known, &key);
    struct reel_watch_code_bytes fresh = {0};
    if (known)
        return *known;
    if (address <= sizeof fresh.bytes ||
        !read_code(code, pid, address - sizeof fresh.bytes, fresh.bytes, sizeof fresh.bytes))
        return fresh;
    fresh.known = true;
    fresh.is_atomic = reel_watch_is_atomic(fresh.bytes, sizeof fresh.bytes);
    fresh.is_call = reel_watch_is_behind_call(fresh.bytes, sizeof fresh.bytes);
    if (g_hash_table_size(code->known) < KNOWN_LIMIT)
        g_hash_table_insert(code->known, g_memdup2(&key, sizeof key),
                            g_memdup2(&fresh, sizeof fresh));
    return fresh;
}
