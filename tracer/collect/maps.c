#include "tracer/collect/maps.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

bool reel_maps_read(struct reel_trace *trace, struct reel_process *process, uint64_t now_ns,
                    struct reel_error *error)
{
    process->maps_stale = false;
    process->maps_ns = now_ns;
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", (int)process->row.pid);
    g_autofree char *text = NULL;
    gsize length = 0;
    if (!g_file_get_contents(path, &text, &length, NULL) || length == 0)
        return true; /* it is gone already: what was read before has to do */
    uint64_t sum = g_str_hash(text) ^ (uint64_t)length << 32;
    if (sum == process->maps_sum)
        return true;
    process->maps_sum = sum;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        unsigned long long start, end, offset, inode;
        unsigned major, minor;
        char mode[5] = "";
        int name_at = 0;
        if (sscanf(*line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, mode, &offset, &major,
                   &minor, &inode, &name_at) < 7)
            continue;
        const char *name = *line + name_at;
        bool shared = mode[3] == 's';
        bool file = name[0] == '/';
        if (!file && !shared)
            continue;
        if (shared && strstr(name, "memfd:reel"))
            continue;
        struct reel_mapping_row row = {
            .process = process->row.id,
            .start = start,
            .end = end,
            .offset = offset,
            .from_ns = now_ns,
            .device = makedev(major, minor),
            .inode = inode,
            .shared = shared,
            .executable = mode[2] == 'x',
            .path = *name ? name : NULL,
        };
        if (!reel_trace_put_mapping(trace, &row, error))
            return false;
    }
    return true;
}
