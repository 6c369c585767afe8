#include "tracer/commands/watch_spec.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tracer/commands/watch_heap.h"
#include "tracer/symbols/module.h"
#include "tracer/symbols/variable_find.h"

#define WORD        8u
#define WORDS_LIMIT 8192u

struct spec {
    char *text;    /* as the user wrote it */
    char *file;    /* a source file, or NULL */
    char *library; /* its base name begins so, or NULL */
    char *name;    /* NULL: an address */
    bool heap;     /* a block of it: specs->heap */
    uint64_t address;
    uint64_t size;
    unsigned found;     /* processes in which it was */
    unsigned others;    /* of that name, in the first of them */
    bool cut;           /* it is larger than what can be watched */
    GHashTable *places; /* path of a module → struct known */
};

/* What looking into a module has found: asked for again by every process. */
struct known {
    struct reel_variable_place place; /* link-time */
    unsigned count;
};

struct reel_watch_specs {
    struct reel_watch_hooks hooks;
    struct spec *spec;
    unsigned count;
    GHashTable *modules; /* path → struct reel_module */
    bool looked;         /* into a process, while it was there */
    bool automatic;
    struct reel_watch_heap heap; /* the only one; without text: none */
    GArray *words; /* struct reel_watch_range: of an automatic watch, at link-time addresses */
    guint turn;    /* the next of them */
    uint64_t base; /* where the first image lies, less where it was linked */
    char *refused; /* why, the first time */
    pid_t refused_pid;
};

static bool parse_address(struct spec *spec, struct reel_error *error)
{
    char *end;
    spec->address = g_ascii_strtoull(spec->text, &end, 16);
    if (*end == '+')
        spec->size = g_ascii_strtoull(end + 1, &end, 0);
    if (*end || !spec->size)
        return reel_error_set(error, REEL_ERROR_USAGE, 0,
                              "--watch %s: an address is written 0x4010a0+8, with its bytes",
                              spec->text);
    return true;
}

static bool parse_heap(struct reel_watch_specs *specs, struct spec *spec, struct reel_error *error)
{
    if (specs->heap.text)
        return reel_error_set(error, REEL_ERROR_USAGE, 0,
                              "--watch %s: one block of the heap can be watched at a time",
                              spec->text);
    spec->heap = true;
    return reel_watch_heap_parse(&specs->heap, spec->text, error);
}

static bool parse(struct reel_watch_specs *specs, struct spec *spec, const char *text,
                  struct reel_error *error)
{
    spec->text = g_strdup(text);
    spec->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (g_str_has_prefix(text, "heap:"))
        return parse_heap(specs, spec, error);
    if (g_str_has_prefix(text, "0x"))
        return parse_address(spec, error);
    const char *colon = strrchr(text, ':');
    if (colon && (colon == text || colon[-1] == ':'))
        colon = NULL; /* of a C++ name */
    const char *name = colon ? colon + 1 : text;
    if (!*name) {
        reel_error_set(error, REEL_ERROR_USAGE, 0, "--watch %s: that cannot be watched", text);
        return reel_error_hint(error,
                               "A variable: counter, file.c:counter, lib.so:counter; an address "
                               "and bytes: 0x4010a0+8; a block: heap:FUNCTION; or auto");
    }
    spec->name = g_strdup(name);
    if (colon) {
        char *where = g_strndup(text, (gsize)(colon - text));
        if (strstr(where, ".so"))
            spec->library = where;
        else
            spec->file = where;
    }
    return true;
}

static void close_module(void *module)
{
    reel_module_close(module);
}

/* What is mapped, as far as it matters: the first mapping of each file. */
struct image {
    char *path;
    uint64_t start, offset;
};

static void clear_image(void *image)
{
    g_free(((struct image *)image)->path);
}

static GArray *images_of(pid_t pid)
{
    GArray *images = g_array_new(FALSE, FALSE, sizeof(struct image));
    g_array_set_clear_func(images, clear_image);
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", (int)pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return images;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        unsigned long long start, end, offset, inode;
        unsigned major, minor;
        char mode[5];
        int name_at = 0;
        if (sscanf(*line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, mode, &offset, &major,
                   &minor, &inode, &name_at) < 7 ||
            (*line)[name_at] != '/')
            continue;
        const struct image *last =
            images->len ? &g_array_index(images, struct image, images->len - 1) : NULL;
        if (last && strcmp(last->path, *line + name_at) == 0)
            continue;
        struct image image = {g_strdup(*line + name_at), start, offset};
        g_array_append_val(images, image);
    }
    return images;
}

static struct reel_module *module_of(struct reel_watch_specs *specs, const char *path)
{
    struct reel_module *module = g_hash_table_lookup(specs->modules, path);
    if (!module && (module = reel_module_open(path)))
        g_hash_table_insert(specs->modules, g_strdup(path), module);
    return module;
}

static const struct known *look_into(struct reel_watch_specs *specs, struct spec *spec,
                                     const char *path)
{
    struct known *known = g_hash_table_lookup(spec->places, path);
    if (known)
        return known;
    known = g_new0(struct known, 1);
    struct reel_module *module = module_of(specs, path);
    known->count = module ? reel_module_find(module, spec->file, spec->name, &known->place) : 0;
    g_hash_table_insert(spec->places, g_strdup(path), known);
    return known;
}

/* The program waits while it is looked into: that is done before it runs, if it can be found. */
static void look_ahead(struct reel_watch_specs *specs, const char *program)
{
    g_autofree char *found = g_find_program_in_path(program);
    char *path = found ? realpath(found, NULL) : NULL;
    for (unsigned i = 0; path && i < specs->count; i++)
        if (specs->spec[i].name && !specs->spec[i].library)
            look_into(specs, &specs->spec[i], path);
    if (specs->heap.text)
        reel_watch_heap_search(&specs->heap, path ? module_of(specs, path) : NULL);
    free(path);
}

/* Nobody looks for a variable of theirs by its name alone, and their information is large. */
static bool is_system(const char *base)
{
    static const char *const names[] = {"libc.so",  "libc-",   "ld-linux",
                                        "libreel-", "libm.so", "libpthread"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_has_prefix(base, names[i]))
            return true;
    return false;
}

/* Where the variable is in that process. */
static bool locate(struct reel_watch_specs *specs, struct spec *spec, const GArray *images,
                   struct reel_variable_place *place)
{
    if (!spec->name) {
        *place = (struct reel_variable_place){
            .address = spec->address,
            .size = spec->size,
            .parts = 1,
            .part = {{.offset = 0, .size = (uint32_t)MIN(spec->size, UINT32_MAX)}}};
        return true;
    }
    for (guint i = 0; i < images->len; i++) {
        const struct image *image = &g_array_index(images, struct image, i);
        g_autofree char *base = g_path_get_basename(image->path);
        if (spec->library ? !g_str_has_prefix(base, spec->library) : is_system(base))
            continue;
        const struct known *known = look_into(specs, spec, image->path);
        uint64_t link;
        if (!known->count || !known->place.address ||
            !reel_module_address(module_of(specs, image->path), image->offset, &link))
            continue;
        *place = known->place;
        place->address += image->start - link;
        spec->others = known->count - 1;
        return true;
    }
    return false;
}

/* Registers watch 1, 2, 4 or 8 bytes at a multiple of that. Appends what covers the part, as far as
 * there is room; false: there was not enough. */
static bool cover_part(const struct reel_variable_place *place,
                       const struct reel_variable_part *part, struct reel_watch_range *ranges,
                       unsigned *count)
{
    uint64_t at = place->address + part->offset, end = at + part->size;
    while (at < end) {
        uint32_t size = WORD;
        while (at % size || at + size > end)
            size /= 2;
        if (*count == REEL_WATCH_RANGES)
            return false;
        ranges[(*count)++] =
            (struct reel_watch_range){.address = at, .size = size, .atomic = part->atomic};
        at += size;
    }
    return true;
}

/* Each part by itself: who writes one does not write its neighbour. Without debugging information
 * there is one, if it can be one. */
static bool cover(const struct reel_variable_place *place, struct reel_watch_range *ranges,
                  unsigned *count)
{
    const struct reel_variable_part whole = {.offset = 0, .size = (uint32_t)place->size};
    if (!place->parts)
        return place->size <= WORD && cover_part(place, &whole, ranges, count);
    for (unsigned i = 0; i < MIN(place->parts, REEL_VARIABLE_PARTS); i++)
        if (!cover_part(place, &place->part[i], ranges, count))
            return false;
    return place->parts <= REEL_VARIABLE_PARTS;
}

static bool add_word(void *data, const struct reel_variable_place *place)
{
    struct reel_watch_specs *specs = data;
    for (unsigned i = 0; i < MIN(place->parts, REEL_VARIABLE_PARTS); i++) {
        struct reel_watch_range parts[REEL_WATCH_RANGES];
        unsigned count = 0;
        cover_part(place, &place->part[i], parts, &count);
        if (!place->part[i].atomic)
            g_array_append_vals(specs->words, parts, count);
    }
    return specs->words->len < WORDS_LIMIT;
}

static unsigned turn(void *data, struct reel_watch_range *ranges)
{
    struct reel_watch_specs *specs = data;
    unsigned count = MIN(specs->words->len, REEL_WATCH_RANGES);
    for (unsigned i = 0; i < count; i++) {
        ranges[i] =
            g_array_index(specs->words, struct reel_watch_range, specs->turn++ % specs->words->len);
        ranges[i].address += specs->base;
    }
    return count;
}

/* All variables of the program itself, two at a time. */
static unsigned automatic_ranges(struct reel_watch_specs *specs, const GArray *images,
                                 struct reel_watch_range *ranges)
{
    const struct image *image = images->len ? &g_array_index(images, struct image, 0) : NULL;
    struct reel_module *module = image ? module_of(specs, image->path) : NULL;
    uint64_t link;
    if (!module || !reel_module_address(module, image->offset, &link))
        return 0;
    if (!specs->words->len) {
        reel_module_each(module, add_word, specs);
        specs->base = image->start - link;
    }
    if (!specs->words->len || specs->base != image->start - link)
        return 0;
    specs->spec[0].found++;
    return turn(specs, ranges);
}

static unsigned ranges(void *data, pid_t pid, struct reel_watch_range *ranges)
{
    struct reel_watch_specs *specs = data;
    unsigned count = 0;
    g_autoptr(GArray) images = images_of(pid);
    specs->looked |= images->len > 0;
    if (specs->automatic)
        return automatic_ranges(specs, images, ranges);
    for (unsigned i = 0; i < specs->count; i++) {
        struct reel_variable_place place;
        if (specs->spec[i].heap || !locate(specs, &specs->spec[i], images, &place))
            continue;
        specs->spec[i].found++;
        specs->spec[i].cut |= !cover(&place, ranges, &count);
    }
    return count;
}

/* The block has come. */
static unsigned announced(void *data, pid_t pid, uint64_t address, uint64_t bytes,
                          struct reel_watch_range *ranges)
{
    struct reel_watch_specs *specs = data;
    struct reel_watch_heap *heap = &specs->heap;
    unsigned count = 0;
    (void)pid;
    heap->came = true;
    heap->size = bytes;
    if (heap->offset >= bytes)
        return 0;
    const struct reel_variable_place place = {.address = address};
    const struct reel_variable_part part = {
        .offset = (uint32_t)heap->offset, .size = (uint32_t)MIN(heap->bytes, bytes - heap->offset)};
    bool all = cover_part(&place, &part, ranges, &count);
    for (unsigned i = 0; i < specs->count; i++)
        if (specs->spec[i].heap) {
            specs->spec[i].found++;
            specs->spec[i].cut |= !all;
        }
    return count;
}

static void refused(void *data, pid_t pid, const char *why)
{
    struct reel_watch_specs *specs = data;
    if (specs->refused)
        return;
    specs->refused = g_strdup(why);
    specs->refused_pid = pid;
}

struct reel_watch_specs *reel_watch_specs_new(char *const *words, const char *program,
                                              struct reel_error *error)
{
    struct reel_watch_specs *specs = g_new0(struct reel_watch_specs, 1);
    specs->hooks = (struct reel_watch_hooks){.ranges = ranges, .refused = refused, .data = specs};
    specs->modules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_module);
    while (words[specs->count])
        specs->count++;
    specs->spec = g_new0(struct spec, specs->count + 1);
    specs->words = g_array_new(FALSE, FALSE, sizeof(struct reel_watch_range));
    for (unsigned i = 0; i < specs->count; i++)
        if (!parse(specs, &specs->spec[i], words[i], error)) {
            reel_watch_specs_free(specs);
            return NULL;
        }
    bool automatic = false;
    for (unsigned i = 0; i < specs->count; i++)
        automatic |= strcmp(words[i], "auto") == 0;
    if (automatic && specs->count > 1) {
        reel_error_set(error, REEL_ERROR_USAGE, 0,
                       "--watch auto takes all that can be watched: no other goes with it");
        reel_watch_specs_free(specs);
        return NULL;
    }
    if (automatic) {
        specs->automatic = true;
        specs->hooks.turn = turn;
    } else {
        look_ahead(specs, program);
    }
    if (specs->heap.text && specs->heap.block.ranges) {
        specs->hooks.block = &specs->heap.block;
        specs->hooks.announced = announced;
    }
    return specs;
}

void reel_watch_specs_free(struct reel_watch_specs *specs)
{
    if (!specs)
        return;
    for (unsigned i = 0; i < specs->count; i++) {
        g_free(specs->spec[i].text);
        g_free(specs->spec[i].file);
        g_free(specs->spec[i].library);
        g_free(specs->spec[i].name);
        if (specs->spec[i].places)
            g_hash_table_destroy(specs->spec[i].places);
    }
    g_free(specs->spec);
    reel_watch_heap_clear(&specs->heap);
    g_hash_table_destroy(specs->modules);
    g_array_unref(specs->words);
    g_free(specs->refused);
    g_free(specs);
}

const struct reel_watch_hooks *reel_watch_specs_hooks(struct reel_watch_specs *specs)
{
    return &specs->hooks;
}

static void say(const struct reel_watch_specs *specs, const struct spec *spec)
{
    if (!specs->looked) {
        fprintf(stderr,
                "reel: --watch %s: the program was not recorded, or was over too soon to be looked "
                "into, so nothing was watched\n",
                spec->text);
        return;
    }
    if (spec->heap && (!spec->found || !spec->cut)) {
        reel_watch_heap_say(&specs->heap);
        return;
    }
    if (specs->automatic) {
        if (!spec->found)
            fprintf(stderr,
                    "reel: --watch auto: the program tells of no variables (was it compiled "
                    "with -g?), so none was watched\n");
        return;
    }
    if (!spec->found)
        fprintf(stderr,
                "reel: --watch %s: no such variable in the program or its libraries, so it was not "
                "watched (is it stripped, optimised away, or on the heap?)\n",
                spec->text);
    else if (spec->cut)
        fprintf(stderr,
                "reel: --watch %s: the processor watches two words of up to 8 bytes at a time, and "
                "each part of a variable is one; the others were not watched\n",
                spec->text);
    if (spec->found && spec->others)
        fprintf(stderr, "reel: --watch %s: there are %u more of that name; say which: FILE.c:%s\n",
                spec->text, spec->others, spec->name);
}

bool reel_watch_specs_settle(struct reel_watch_specs *specs, struct reel_trace *trace,
                             uint64_t lost, struct reel_error *error)
{
    g_autoptr(GString) watched = g_string_new(NULL);
    for (unsigned i = 0; i < specs->count; i++) {
        say(specs, &specs->spec[i]);
        g_string_append_printf(watched, "%s%s", i ? " " : "", specs->spec[i].text);
        if (!specs->spec[i].found)
            g_string_append(watched, " (not found)");
    }
    if (specs->automatic)
        g_string_append_printf(watched, " (%u words, %u turns)", specs->words->len, specs->turn);
    if (specs->refused) {
        fprintf(stderr, "reel: --watch: process %d was recorded, its memory not watched: %s\n",
                (int)specs->refused_pid, specs->refused);
        g_string_append_printf(watched, " (refused: %s)", specs->refused);
    }
    if (lost)
        fprintf(stderr, "reel: --watch: %" PRIu64 " accesses came too fast to be recorded\n", lost);
    char number[32];
    snprintf(number, sizeof number, "%" PRIu64, lost);
    return reel_trace_set_meta(trace, "watch", watched->str, error) &&
           reel_trace_set_meta(trace, "watch_lost", number, error);
}
