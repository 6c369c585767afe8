/* Installing leaf pages: appending them to the trace under interior pages of their own, and putting
 * a root above them in place of the table's empty one. The trace's connection holds its exclusive
 * lock and lends its file handle: a second descriptor, closed, would drop the process's locks. */
#include "tracer/store/page_writer_private.h"
#include "tracer/store/rollback_journal.h"
#include "tracer/store/schema.h"
#include "tracer/store/trace_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    table_limit = 8,
    copy_bytes = 65536, /* SQLite's file handle takes less than 128 KiB at once */
    header_bytes = 100,
    /* Offsets in the database header. */
    header_reserved = 20,
    header_change_counter = 24,
    header_page_count = 28,
    header_auto_vacuum = 52,
    header_encoding = 56,
    header_valid_for = 92,
};

struct installation {
    struct reel_trace *trace;
    sqlite3_file *file;
    const char *journal; /* its path; SQLite's */
    uint32_t page_bytes;
    uint32_t pages_before, page_count;
    uint32_t lock_page; /* never holds content: SQLite's locks are byte ranges in it */
    uint8_t *saved;     /* page 1, then the roots, as they were */
    uint32_t roots[table_limit];
    uint8_t *buffer; /* copy_bytes, a multiple of the page size */
};

static sqlite3_file *file_of(struct reel_trace *trace)
{
    sqlite3_file *file = NULL;
    sqlite3_file_control(trace->database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return file && file->pMethods ? file : NULL;
}

/* The definition of a table or view in a database; NULL when it has none. Freed by sqlite3_free. */
static char *definition_of(sqlite3 *database, const char *name)
{
    sqlite3_stmt *statement;
    char *definition = NULL;
    if (sqlite3_prepare_v2(database, "SELECT sql FROM sqlite_schema WHERE name = ?", -1, &statement,
                           NULL) != SQLITE_OK)
        return NULL;
    reel_bind_text(statement, 1, name);
    if (sqlite3_step(statement) == SQLITE_ROW)
        definition = sqlite3_mprintf("%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return definition;
}

static bool tables_are_ours(struct reel_trace *trace)
{
    static const char *const names[] = {"event", "interval", "hold"};
    sqlite3 *model = NULL;
    bool ours = sqlite3_open(":memory:", &model) == SQLITE_OK &&
                sqlite3_exec(model, reel_schema_sql, NULL, NULL, NULL) == SQLITE_OK;
    for (unsigned i = 0; ours && i < sizeof names / sizeof names[0]; i++) {
        char *expected = definition_of(model, names[i]);
        char *found = definition_of(trace->database, names[i]);
        ours = expected && found && strcmp(expected, found) == 0;
        sqlite3_free(expected);
        sqlite3_free(found);
    }
    sqlite3_close(model);
    return ours;
}

bool reel_pages_are_possible(struct reel_trace *trace)
{
    sqlite3_file *file = file_of(trace);
    uint8_t header[header_bytes];
    return file && file->pMethods->xRead(file, header, header_bytes, 0) == SQLITE_OK &&
           header[18] == 1 && header[19] == 1 && header[header_reserved] == 0 &&
           reel_get_32(header + header_auto_vacuum) == 0 &&
           reel_get_32(header + header_encoding) == 1 &&
           reel_trace_integer(trace,
                              "SELECT count(*) FROM sqlite_schema WHERE type IN ('index','trigger')"
                              " AND tbl_name IN ('event','interval','hold')",
                              1) == 0 &&
           tables_are_ours(trace);
}

static bool store_failure(struct installation *in, int code, struct reel_error *error)
{
    return reel_trace_fail(in->trace->database, in->trace->path, code, "writing rows", error);
}

static bool errno_failure(struct installation *in, int number, struct reel_error *error)
{
    bool disk_is_full = number == ENOSPC || number == EDQUOT;
    reel_error_set(error, disk_is_full ? REEL_ERROR_LIMIT : REEL_ERROR_SYSTEM, number,
                   "%s: writing rows: %s", in->trace->path, strerror(number));
    if (disk_is_full)
        reel_error_hint(error, "Free some space, then `reel recover %s`.", in->trace->path);
    return false;
}

static int read_page(struct installation *in, uint32_t page, uint8_t *to)
{
    return in->file->pMethods->xRead(in->file, to, (int)in->page_bytes,
                                     (sqlite3_int64)(page - 1) * in->page_bytes);
}

/* xWrite reports a full disk as SQLITE_FULL. */
static int write_pages(struct installation *in, uint32_t page, const uint8_t *from, uint32_t count)
{
    return in->file->pMethods->xWrite(in->file, from, (int)(count * in->page_bytes),
                                      (sqlite3_int64)(page - 1) * in->page_bytes);
}

static uint32_t new_page(struct installation *in)
{
    in->page_count++;
    if (in->page_count == in->lock_page)
        in->page_count++;
    return in->page_count;
}

/* Reads what will be changed and checks that it is what we think it is. */
static bool save_pages(struct installation *in, struct reel_page_writer *const *writers,
                       unsigned count, struct reel_error *error)
{
    int code = read_page(in, 1, in->saved);
    if (code != SQLITE_OK)
        return store_failure(in, code, error);
    in->pages_before = in->page_count = reel_get_32(in->saved + header_page_count);
    for (unsigned i = 0; i < count; i++) {
        char *sql = sqlite3_mprintf("SELECT rootpage FROM sqlite_schema WHERE name=%Q AND"
                                    " type='table'",
                                    writers[i]->table);
        int64_t root = sql ? reel_trace_integer(in->trace, sql, 0) : 0;
        sqlite3_free(sql);
        uint8_t *page = in->saved + (i + 1) * (size_t)in->page_bytes;
        bool good = root > 1 && root <= in->pages_before &&
                    read_page(in, (uint32_t)root, page) == SQLITE_OK && page[0] == reel_leaf_type &&
                    page[3] == 0 && page[4] == 0;
        for (unsigned k = 0; good && k < i; k++)
            good = in->roots[k] != root;
        if (!good)
            return reel_error_set(error, REEL_ERROR_DAMAGED, 0, "%s: table %s is not empty",
                                  in->trace->path, writers[i]->table);
        in->roots[i] = (uint32_t)root;
    }
    return true;
}

static bool read_leaves(struct installation *in, struct reel_page_writer *writer, uint64_t at,
                        size_t bytes, struct reel_error *error)
{
    uint8_t *to = in->buffer;
    while (bytes > 0) {
        ssize_t got = pread(writer->file, to, bytes, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return errno_failure(in, got < 0 ? errno : EIO, error);
        to += got;
        at += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return true;
}

/* Appends all leaves and notes their page numbers. */
static bool append_leaves(struct installation *in, struct reel_page_writer *writer,
                          struct reel_error *error)
{
    uint32_t batch = copy_bytes / in->page_bytes;
    for (size_t done = 0; done < writer->leaf_count;) {
        /* A run of leaves ends before the lock page. */
        uint32_t first = writer->leaves[done].page = new_page(in), run = 1;
        while (run < batch && done + run < writer->leaf_count &&
               in->page_count + 1 != in->lock_page)
            writer->leaves[done + run++].page = new_page(in);
        if (!read_leaves(in, writer, (uint64_t)done * in->page_bytes, (size_t)run * in->page_bytes,
                         error))
            return false;
        int code = write_pages(in, first, in->buffer, run);
        if (code != SQLITE_OK)
            return store_failure(in, code, error);
        done += run;
    }
    return true;
}

/* An interior page over `count` (2 or more) children: all but the last are cells, each a page
 * number and the largest row id below it; the last is the right-most pointer. */
static void fill_interior(struct installation *in, uint8_t *page,
                          const struct reel_page_child *children, uint32_t count)
{
    memset(page, 0, in->page_bytes);
    uint8_t *free_end = page + in->page_bytes;
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint8_t cell[13];
        reel_put_32(cell, children[i].page);
        size_t bytes =
            (size_t)(reel_put_sqlite_varint(cell + 4, (uint64_t)children[i].last_row) - cell);
        free_end -= bytes;
        memcpy(free_end, cell, bytes);
        reel_put_16(page + reel_interior_header + 2 * i, (uint32_t)(free_end - page));
    }
    page[0] = reel_interior_type;
    reel_put_16(page + 3, count - 1);
    reel_put_16(page + 5, (uint32_t)(free_end - page));
    reel_put_32(page + 8, children[count - 1].page);
}

/* Builds levels over the leaves until one page can hold what is left: the root's content, left in
 * in->buffer. Children are spread evenly, so that every interior page has two at least. */
static bool build_interiors(struct installation *in, struct reel_page_writer *writer,
                            struct reel_error *error)
{
    uint32_t most = (in->page_bytes - reel_interior_header) / 15 + 1; /* cell 13, pointer 2 */
    struct reel_page_child *level = writer->leaves;
    size_t count = writer->leaf_count;
    while (count > most) {
        size_t parents = (count + most - 1) / most, at = 0;
        for (size_t i = 0; i < parents; i++) {
            size_t end = (i + 1) * count / parents;
            fill_interior(in, in->buffer, level + at, (uint32_t)(end - at));
            struct reel_page_child parent = {level[end - 1].last_row, new_page(in)};
            int code = write_pages(in, parent.page, in->buffer, 1);
            if (code != SQLITE_OK)
                return store_failure(in, code, error);
            level[i] = parent; /* i <= at: the children here are done with */
            at = end;
        }
        count = parents;
    }
    fill_interior(in, in->buffer, level, (uint32_t)count);
    return true;
}

/* Everything of one table; its root page comes last. */
static bool install_table(struct installation *in, struct reel_page_writer *writer, uint32_t root,
                          struct reel_error *error)
{
    if (writer->leaf_count == 1) {
        if (!read_leaves(in, writer, 0, in->page_bytes, error))
            return false;
    } else if (!append_leaves(in, writer, error) || !build_interiors(in, writer, error)) {
        return false;
    }
    int code = write_pages(in, root, in->buffer, 1);
    return code == SQLITE_OK || store_failure(in, code, error);
}

/* The new page count, and a new change counter, which tells every cache that it is out of date. */
static bool write_header(struct installation *in, struct reel_error *error)
{
    uint8_t *page = in->buffer;
    memcpy(page, in->saved, in->page_bytes);
    uint32_t counter = reel_get_32(page + header_change_counter) + 1;
    reel_put_32(page + header_change_counter, counter);
    reel_put_32(page + header_valid_for, counter);
    reel_put_32(page + header_page_count, in->page_count);
    int code = write_pages(in, 1, page, 1);
    if (code == SQLITE_OK)
        code = in->file->pMethods->xSync(in->file, SQLITE_SYNC_NORMAL);
    return code == SQLITE_OK || store_failure(in, code, error);
}

static bool install_all(struct installation *in, struct reel_page_writer *const *writers,
                        unsigned count, struct reel_error *error)
{
    if (!save_pages(in, writers, count, error))
        return false;
    struct reel_saved_page saved[table_limit + 1] = {{1, in->saved}};
    for (unsigned i = 0; i < count; i++)
        saved[i + 1] =
            (struct reel_saved_page){in->roots[i], in->saved + (i + 1) * (size_t)in->page_bytes};
    int result = reel_rollback_journal_write(in->journal, in->page_bytes, in->pages_before, saved,
                                             count + 1);
    if (result != 0)
        return errno_failure(in, -result, error);
    /* From here until the journal is gone, every failure and every kill ends in a rollback by the
     * next one to read. */
    for (unsigned i = 0; i < count; i++)
        if (!install_table(in, writers[i], in->roots[i], error))
            return false;
    if (!write_header(in, error))
        return false;
    result = reel_rollback_journal_remove(in->journal);
    return result == 0 || errno_failure(in, -result, error);
}

bool reel_page_writer_install(struct reel_page_writer *const *all, unsigned all_count,
                              struct reel_error *error)
{
    struct reel_page_writer *writers[table_limit];
    unsigned count = 0;
    for (unsigned i = 0; i < all_count && count < table_limit; i++) {
        if (!reel_page_writer_flush(all[i], error))
            return false;
        if (all[i]->leaf_count)
            writers[count++] = all[i];
    }
    if (count == 0)
        return true;
    struct reel_trace *trace = writers[0]->trace;
    uint32_t page_bytes = writers[0]->page_bytes;
    struct installation in = {.trace = trace,
                              .page_bytes = page_bytes,
                              .saved = malloc((count + 1) * (size_t)page_bytes),
                              .buffer = malloc(copy_bytes)};
    /* Asking for 0 changes nothing; tests move the lock page to where files reach it. */
    uint32_t lock_byte = (uint32_t)sqlite3_test_control(SQLITE_TESTCTRL_PENDING_BYTE, 0u);
    in.lock_page = (lock_byte ? lock_byte : 0x40000000u) / page_bytes + 1;
    bool good = false;
    if (!in.saved || !in.buffer)
        errno_failure(&in, ENOMEM, error);
    else if (reel_trace_execute(trace, "BEGIN EXCLUSIVE", "writing rows", error)) {
        in.file = file_of(trace);
        in.journal = sqlite3_filename_journal(sqlite3_db_filename(trace->database, "main"));
        good = install_all(&in, writers, count, error);
        /* SQLite has written nothing, so this only drops the lock. */
        sqlite3_exec(trace->database, "ROLLBACK", NULL, NULL, NULL);
        /* Look at once: after a failure this is what rolls the pages back. */
        reel_trace_integer(trace, "SELECT count(*) FROM sqlite_schema", 0);
    }
    free(in.saved);
    free(in.buffer);
    return good;
}
