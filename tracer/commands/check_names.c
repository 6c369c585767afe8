#include "tracer/commands/check_names.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "probes/event/kinds.h"
#include "tracer/symbols/module.h"

/* Shared by the asker and the searching thread; `mutex` guards `found` and `done`. */
struct search {
    GMutex mutex;
    GCond finished;
    bool done;
    unsigned count;
    struct wanted {
        pid_t pid;
        uint64_t address; /* 0: nothing to look for */
        char *found;
    } * wanted;
};

struct reel_check_names {
    struct search *search; /* counted */
    char **name;           /* what was found by the end of the wait */
    unsigned count;
};

static void clear_search(void *data)
{
    struct search *search = data;
    for (unsigned i = 0; i < search->count; i++)
        g_free(search->wanted[i].found);
    g_free(search->wanted);
    g_mutex_clear(&search->mutex);
    g_cond_clear(&search->finished);
}

/* The file mapped at an address, or last before it: beyond that lies its .bss. `base`, `offset`: of
 * that mapping. NULL: none. g_free. */
static char *file_at(pid_t pid, uint64_t address, uint64_t *base, uint64_t *offset)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char *file = NULL;
    for (char **line = lines; *line; line++) {
        unsigned long long start, end, from, inode;
        unsigned major, minor;
        char mode[5];
        int name_at = 0;
        if (sscanf(*line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, mode, &from, &major,
                   &minor, &inode, &name_at) < 7 ||
            start > address)
            continue;
        const char *name = *line + name_at;
        if (name[0] == '/') {
            g_free(file);
            file = g_strdup(name);
            *base = start;
            *offset = from;
        } else if (address < end && name[0] == '[') {
            g_clear_pointer(&file, g_free); /* a heap or a stack has no variables */
        }
    }
    return file;
}

static char *variable_at(GHashTable *modules, pid_t pid, uint64_t address)
{
    uint64_t base, offset, link;
    g_autofree char *path = file_at(pid, address, &base, &offset);
    if (!path)
        return NULL;
    struct reel_module *module = g_hash_table_lookup(modules, path);
    if (!module && (module = reel_module_open(path)))
        g_hash_table_insert(modules, g_strdup(path), module);
    if (!module || !reel_module_address(module, offset, &link))
        return NULL;
    link += address - base;
    return link < reel_module_end(module) ? reel_module_variable(module, link) : NULL;
}

static void close_module(void *module)
{
    reel_module_close(module);
}

static void *look(void *data)
{
    struct search *search = data;
    g_autoptr(GHashTable) modules =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_module);
    for (unsigned i = 0; i < search->count; i++) {
        struct wanted *wanted = &search->wanted[i];
        char *found = wanted->address ? variable_at(modules, wanted->pid, wanted->address) : NULL;
        g_mutex_lock(&search->mutex);
        wanted->found = found;
        search->done = i + 1 == search->count;
        g_cond_signal(&search->finished);
        g_mutex_unlock(&search->mutex);
    }
    g_atomic_rc_box_release_full(search, clear_search);
    return NULL;
}

static bool may_be_variable(const struct reel_live_wait *wait)
{
    return wait->blocked && wait->class >= REEL_CLASS_MUTEX && wait->class <= REEL_CLASS_FUTEX;
}

struct reel_check_names *reel_check_names_look(const struct reel_live_wait *waits, unsigned count)
{
    struct reel_check_names *names = g_new0(struct reel_check_names, 1);
    names->count = count;
    names->name = g_new0(char *, count + 1);
    struct search *search = names->search = g_atomic_rc_box_new0(struct search);
    g_mutex_init(&search->mutex);
    g_cond_init(&search->finished);
    search->count = count;
    search->done = true;
    search->wanted = g_new0(struct wanted, count + 1);
    for (unsigned i = 0; i < count; i++) {
        names->name[i] = g_strdup(waits[i].object_name);
        if (names->name[i] || !may_be_variable(&waits[i]))
            continue;
        search->wanted[i] = (struct wanted){.pid = waits[i].pid, .address = waits[i].object};
        search->done = false;
    }
    if (search->done)
        return names;
    GThread *thread = g_thread_try_new("names", look, g_atomic_rc_box_acquire(search), NULL);
    if (thread) {
        g_thread_unref(thread);
    } else { /* then there are none */
        search->done = true;
        g_atomic_rc_box_release_full(search, clear_search);
    }
    return names;
}

void reel_check_names_wait(struct reel_check_names *names, unsigned patience_ms)
{
    struct search *search = names->search;
    gint64 until = g_get_monotonic_time() + (gint64)patience_ms * 1000;
    g_mutex_lock(&search->mutex);
    while (!search->done && g_cond_wait_until(&search->finished, &search->mutex, until))
        ;
    for (unsigned i = 0; i < names->count; i++)
        if (!names->name[i])
            names->name[i] = g_strdup(search->wanted[i].found);
    g_mutex_unlock(&search->mutex);
}

const char *reel_check_names_at(const struct reel_check_names *names, unsigned index)
{
    return names && index < names->count ? names->name[index] : NULL;
}

void reel_check_names_free(struct reel_check_names *names)
{
    if (!names)
        return;
    for (unsigned i = 0; i < names->count; i++)
        g_free(names->name[i]);
    g_free(names->name);
    g_atomic_rc_box_release_full(names->search, clear_search);
    g_free(names);
}
