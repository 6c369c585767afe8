/* Names and facts of a sealed trace: see trace_names.h. The file is untrusted: numbers are checked,
 * whatever the tables say. */
#include "tracer/detect/trace_names.h"

#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct thread_row {
    uint32_t process;
    uint64_t end_ns;
    char *name;
};

struct process_row {
    uint32_t number, parent;
    int32_t pid;
    uint64_t start_ns;
};

struct reel_trace_names {
    struct reel_trace *trace;
    GArray *object;      /* struct reel_object by number; [0] unused */
    GPtrArray *name;     /* of objects, by number */
    GArray *thread;      /* struct thread_row by number */
    GArray *process;     /* struct process_row, by start */
    GHashTable *sites;   /* stack → text */
    GHashTable *outside; /* process → struct reel_detect_outside */
    sqlite3_stmt *mapping;
    sqlite3_stmt *frame, *own;
};

static bool fail(struct reel_trace *trace, struct reel_error *error)
{
    sqlite3 *database = reel_trace_database(trace);
    return reel_error_set(error, REEL_ERROR_STORE, sqlite3_extended_errcode(database),
                          "%s: reading names: %s", reel_trace_path(trace),
                          sqlite3_errmsg(database));
}

typedef void take_row(struct reel_trace_names *names, sqlite3_stmt *row);

static bool each_row(struct reel_trace_names *names, const char *sql, take_row *take,
                     struct reel_error *error)
{
    sqlite3_stmt *row = NULL;
    if (sqlite3_prepare_v2(reel_trace_database(names->trace), sql, -1, &row, NULL) != SQLITE_OK)
        return fail(names->trace, error);
    int code;
    while ((code = sqlite3_step(row)) == SQLITE_ROW)
        take(names, row);
    sqlite3_finalize(row);
    return code == SQLITE_DONE || fail(names->trace, error);
}

/* A number of the recorder's: rows beyond the limit are damage. */
static uint32_t number_at(sqlite3_stmt *row, int column, uint32_t limit)
{
    int64_t value = sqlite3_column_int64(row, column);
    return value > 0 && value < limit ? (uint32_t)value : 0;
}

static void take_object(struct reel_trace_names *names, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0);
    /* Objects are numbered without holes; a gap of millions is damage, not objects. */
    if (id <= 0 || id > (int64_t)names->object->len + (1 << 20))
        return;
    if (names->object->len <= id) {
        g_array_set_size(names->object, (guint)id + 1);
        g_ptr_array_set_size(names->name, (int)id + 1);
    }
    const char *name = (const char *)sqlite3_column_text(row, 9);
    const char *detail = (const char *)sqlite3_column_text(row, 10);
    if (!detail)
        detail = "";
    g_free(names->name->pdata[id]);
    names->name->pdata[id] = g_strdup(name);
    uint32_t class = number_at(row, 2, REEL_CLASS_LIMIT);
    g_array_index(names->object, struct reel_object, id) = (struct reel_object){
        .process = number_at(row, 1, REEL_MODEL_NUMBER_LIMIT),
        .class = (uint8_t) class,
        .address = (uint64_t)sqlite3_column_int64(row, 3),
        .generation = number_at(row, 4, UINT32_MAX),
        .ordinal = number_at(row, 5, UINT32_MAX),
        .creator = number_at(row, 6, REEL_MODEL_NUMBER_LIMIT),
        .site = number_at(row, 7, UINT32_MAX),
        .first_ns = (uint64_t)sqlite3_column_int64(row, 8),
        .capacity =
            sqlite3_column_type(row, 11) == SQLITE_NULL ? -1 : sqlite3_column_int64(row, 11),
        .shared = !strcmp(detail, "shared between processes"),
        .after_destroy = !strcmp(detail, "used after its destruction"),
        .inherited_from = !strcmp(detail, "inherited by fork") ? UINT32_MAX : 0,
    };
}

static void take_thread(struct reel_trace_names *names, sqlite3_stmt *row)
{
    uint32_t id = number_at(row, 0, REEL_MODEL_NUMBER_LIMIT);
    if (!id)
        return;
    if (names->thread->len <= id)
        g_array_set_size(names->thread, id + 1);
    struct thread_row *thread = &g_array_index(names->thread, struct thread_row, id);
    g_free(thread->name);
    *thread = (struct thread_row){
        .process = number_at(row, 1, REEL_MODEL_NUMBER_LIMIT),
        .end_ns = (uint64_t)sqlite3_column_int64(row, 2),
        .name = g_strdup((const char *)sqlite3_column_text(row, 3)),
    };
}

static void take_process(struct reel_trace_names *names, sqlite3_stmt *row)
{
    struct process_row process = {
        .number = number_at(row, 0, REEL_MODEL_NUMBER_LIMIT),
        .pid = sqlite3_column_int(row, 1),
        .parent = number_at(row, 2, REEL_MODEL_NUMBER_LIMIT),
        .start_ns = (uint64_t)sqlite3_column_int64(row, 3),
    };
    if (process.number)
        g_array_append_val(names->process, process);
}

static void take_outside(struct reel_trace_names *names, sqlite3_stmt *row)
{
    unsigned process, threads;
    uint64_t handled;
    const char *key = (const char *)sqlite3_column_text(row, 0);
    const char *value = (const char *)sqlite3_column_text(row, 1);
    if (!key || !value || sscanf(key, "outside_%u", &process) != 1 ||
        sscanf(value, "signals %" SCNx64 " threads %u", &handled, &threads) != 2)
        return;
    struct reel_detect_outside outside = {handled, threads};
    g_hash_table_insert(names->outside, GUINT_TO_POINTER(process),
                        g_memdup2(&outside, sizeof outside));
}

struct reel_trace_names *reel_trace_names_new(struct reel_trace *trace, struct reel_error *error)
{
    struct reel_trace_names *names = g_new0(struct reel_trace_names, 1);
    names->trace = trace;
    names->object = g_array_new(FALSE, TRUE, sizeof(struct reel_object));
    names->name = g_ptr_array_new();
    names->thread = g_array_new(FALSE, TRUE, sizeof(struct thread_row));
    names->process = g_array_new(FALSE, TRUE, sizeof(struct process_row));
    names->sites = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    names->outside = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    bool good =
        each_row(names,
                 "SELECT id, process, class, address, generation, ordinal, creator, site, first_ns,"
                 " name, detail, capacity FROM object ORDER BY id",
                 take_object, error) &&
        each_row(names, "SELECT id, process, end_ns, name FROM thread", take_thread, error) &&
        each_row(names, "SELECT id, pid, parent, start_ns FROM process ORDER BY start_ns, id",
                 take_process, error) &&
        each_row(names, "SELECT key, value FROM meta WHERE key GLOB 'outside_[0-9]*'", take_outside,
                 error);
    if (good && sqlite3_prepare_v2(reel_trace_database(trace),
                                   "SELECT function, file, line, module, offset FROM stack"
                                   " JOIN frame ON frame.id = stack.frame WHERE stack.id = ?",
                                   -1, &names->frame, NULL) != SQLITE_OK)
        good = fail(trace, error);
    if (good && sqlite3_prepare_v2(reel_trace_database(trace),
                                   "SELECT path FROM mapping WHERE process = ?1 AND start <= ?2 AND"
                                   " end > ?2 AND shared ORDER BY from_ns DESC LIMIT 1",
                                   -1, &names->mapping, NULL) != SQLITE_OK)
        good = fail(trace, error);
    if (good && sqlite3_prepare_v2(reel_trace_database(trace),
                                   "SELECT parent, frame = site FROM stack WHERE id = ?", -1,
                                   &names->own, NULL) != SQLITE_OK)
        good = fail(trace, error);
    if (good)
        return names;
    reel_trace_names_free(names);
    return NULL;
}

void reel_trace_names_free(struct reel_trace_names *names)
{
    if (!names)
        return;
    sqlite3_finalize(names->frame);
    sqlite3_finalize(names->own);
    sqlite3_finalize(names->mapping);
    for (guint i = 0; i < names->name->len; i++)
        g_free(names->name->pdata[i]);
    for (guint i = 0; i < names->thread->len; i++)
        g_free(g_array_index(names->thread, struct thread_row, i).name);
    g_array_unref(names->object);
    g_ptr_array_unref(names->name);
    g_array_unref(names->thread);
    g_array_unref(names->process);
    g_hash_table_unref(names->sites);
    g_hash_table_unref(names->outside);
    g_free(names);
}

static const char *object_name(void *data, uint32_t object)
{
    const struct reel_trace_names *names = data;
    return object < names->name->len ? names->name->pdata[object] : NULL;
}

static const char *thread_name(void *data, uint32_t thread)
{
    const struct reel_trace_names *names = data;
    return thread < names->thread->len
               ? g_array_index(names->thread, struct thread_row, thread).name
               : NULL;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "pay (bank.c:30)"; without a line "pay (libbank.so)"; without a symbol "libbank.so+0x1f0". */
static char *compose_site(struct reel_trace_names *names, uint32_t stack)
{
    char *site = NULL;
    sqlite3_bind_int64(names->frame, 1, stack);
    if (sqlite3_step(names->frame) == SQLITE_ROW) {
        const char *function = (const char *)sqlite3_column_text(names->frame, 0);
        const char *file = (const char *)sqlite3_column_text(names->frame, 1);
        const char *module = (const char *)sqlite3_column_text(names->frame, 3);
        if (function && file)
            site = g_strdup_printf("%s (%s:%d)", function, last_part(file),
                                   sqlite3_column_int(names->frame, 2));
        else if (function)
            site = g_strdup_printf("%s (%s)", function, module ? last_part(module) : "?");
        else if (module)
            site = g_strdup_printf("%s+0x%" PRIx64, last_part(module),
                                   (uint64_t)sqlite3_column_int64(names->frame, 4));
    }
    sqlite3_reset(names->frame);
    return site ? site : g_strdup("");
}

static const char *site(void *data, uint32_t stack)
{
    struct reel_trace_names *names = data;
    char *known = g_hash_table_lookup(names->sites, GUINT_TO_POINTER(stack));
    if (!known) {
        known = compose_site(names, stack);
        g_hash_table_insert(names->sites, GUINT_TO_POINTER(stack), known);
    }
    return *known ? known : NULL;
}

/* A caller's stack has the same site, until it is the one with that frame. */
static uint32_t own_stack(void *data, uint32_t stack)
{
    struct reel_trace_names *names = data;
    bool own = false;
    for (unsigned depth = 0; stack && !own && depth < 256; depth++) {
        uint32_t caller = 0;
        sqlite3_bind_int64(names->own, 1, stack);
        if (sqlite3_step(names->own) == SQLITE_ROW) {
            own = sqlite3_column_int(names->own, 1);
            caller = number_at(names->own, 0, UINT32_MAX);
        }
        sqlite3_reset(names->own);
        if (!own)
            stack = caller;
    }
    return stack;
}

const struct reel_object *reel_trace_names_object(const struct reel_trace_names *names,
                                                  uint32_t object)
{
    return object && object < names->object->len
               ? &g_array_index(names->object, struct reel_object, object)
               : NULL;
}

static const struct reel_object *object_facts(void *data, uint32_t object)
{
    return reel_trace_names_object(data, object);
}

static struct reel_detect_outside outside(void *data, uint32_t process)
{
    const struct reel_trace_names *names = data;
    const struct reel_detect_outside *known =
        g_hash_table_lookup(names->outside, GUINT_TO_POINTER(process));
    return known ? *known : (struct reel_detect_outside){0};
}

static uint32_t parent_of(const struct reel_trace_names *names, uint32_t process)
{
    for (guint i = 0; i < names->process->len; i++)
        if (g_array_index(names->process, struct process_row, i).number == process)
            return g_array_index(names->process, struct process_row, i).parent;
    return 0;
}

/* Memory that only descendants can have got: of no file, or of one without a name. */
static bool is_family_memory(const char *path)
{
    return !path || g_str_has_prefix(path, "/dev/zero") || g_str_has_prefix(path, "/memfd:");
}

static bool is_public(void *data, uint32_t object, uint32_t process)
{
    struct reel_trace_names *names = data;
    const struct reel_object *facts = reel_trace_names_object(names, object);
    if (facts && facts->shared) /* the address is that of the first to use it */
        process = reel_trace_names_process(names, facts->creator);
    /* A forked child that was not looked at has its parent's mappings. */
    for (unsigned hops = 0; facts && process && hops < 64; hops++) {
        sqlite3_bind_int64(names->mapping, 1, process);
        sqlite3_bind_int64(names->mapping, 2, (int64_t)facts->address);
        bool found = sqlite3_step(names->mapping) == SQLITE_ROW;
        bool named =
            found && !is_family_memory((const char *)sqlite3_column_text(names->mapping, 0));
        sqlite3_reset(names->mapping);
        if (found)
            return named;
        process = parent_of(names, process);
    }
    return false;
}

void reel_trace_names_provide(struct reel_trace_names *names, struct reel_detect_context *context)
{
    context->object_name = object_name;
    context->thread_name = thread_name;
    context->site = site;
    context->own_stack = own_stack;
    context->object = object_facts;
    context->outside = outside;
    context->is_public = is_public;
    context->data = names;
}

uint32_t reel_trace_names_process(const struct reel_trace_names *names, uint32_t thread)
{
    return thread < names->thread->len
               ? g_array_index(names->thread, struct thread_row, thread).process
               : 0;
}

uint32_t reel_trace_names_process_of_pid(const struct reel_trace_names *names, uint64_t pid,
                                         uint64_t time_ns)
{
    uint32_t found = 0;
    for (guint i = 0; i < names->process->len; i++) {
        const struct process_row *process = &g_array_index(names->process, struct process_row, i);
        if ((uint64_t)process->pid == pid && process->start_ns <= time_ns)
            found = process->number;
    }
    return found;
}

bool reel_trace_names_restore(const struct reel_trace_names *names, struct reel_identity *identity)
{
    for (guint i = 0; i < names->process->len; i++) {
        const struct process_row *process = &g_array_index(names->process, struct process_row, i);
        reel_identity_declare_process(identity, process->number, process->parent, process->pid);
    }
    for (guint i = 1; i < names->object->len; i++)
        if (!reel_identity_restore(identity, &g_array_index(names->object, struct reel_object, i)))
            return false;
    return true;
}

void reel_trace_names_end_threads(const struct reel_trace_names *names, struct reel_world *world)
{
    for (guint i = 1; i < names->thread->len; i++) {
        const struct thread_row *thread = &g_array_index(names->thread, struct thread_row, i);
        if (thread->end_ns)
            reel_world_end_thread(world, i, thread->end_ns);
    }
}

uint32_t reel_trace_names_count(const struct reel_trace_names *names)
{
    return names->object->len ? names->object->len - 1 : 0;
}
