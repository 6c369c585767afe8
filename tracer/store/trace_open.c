/* Making and opening a trace file. A file handed to us is untrusted: it is looked at with plain
 * reads before SQLite sees it, so that each way of being wrong gets its own words. */
#include "tracer/store/schema.h"
#include "tracer/store/trace_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    page_bytes = 4096,
    checkpoint_pages = 4096, /* fold the log in every 16 MiB */
};

/* What the first 100 bytes of a file say (SQLite file format, section 1.3). */
struct header {
    bool is_database, is_trace, is_wal;
    bool count_is_valid;
    uint32_t version;
    uint64_t bytes_claimed, bytes;
};

static uint32_t big_endian_32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Looks at PATH's -wal or -journal, which lie beside the file itself, not beside a link to it.
 * False when there is none. */
static bool side_file_status(const char *path, const char *suffix, struct stat *status)
{
    char name[PATH_MAX + 16];
    if (!realpath(path, name))
        return false;
    strcat(name, suffix);
    return stat(name, status) == 0;
}

static bool side_file_exists(const char *path, const char *suffix)
{
    struct stat status;
    return side_file_status(path, suffix, &status);
}

static bool side_file_has_content(const char *path, const char *suffix)
{
    struct stat status;
    return side_file_status(path, suffix, &status) && status.st_size > 0;
}

/* Reads the header of a regular file. A file too short for one is no database. */
static bool header_read(const char *path, struct header *header, struct reel_error *error)
{
    *header = (struct header){0};
    /* Non-blocking: opening a FIFO must not hang. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        reel_error_set(error, REEL_ERROR_SYSTEM, errno, "%s: %s", path, strerror(errno));
        if (error && error->number == ENOENT)
            reel_error_hint(error, "Make a trace with `reel record -- PROGRAM`.");
        return false;
    }
    struct stat status;
    unsigned char bytes[100];
    ssize_t got = 0;
    int failure = 0;
    if (fstat(file, &status) != 0)
        failure = errno;
    else if (S_ISDIR(status.st_mode))
        failure = EISDIR;
    else if (S_ISREG(status.st_mode) && (got = pread(file, bytes, sizeof bytes, 0)) < 0)
        failure = errno;
    close(file);
    if (failure)
        return reel_error_set(error, REEL_ERROR_SYSTEM, failure, "%s: %s", path, strerror(failure));
    if (!S_ISREG(status.st_mode))
        return reel_error_set(error, REEL_ERROR_NOT_A_TRACE, 0, "%s: not a regular file", path);
    header->bytes = (uint64_t)status.st_size;
    if (got < (ssize_t)sizeof bytes || memcmp(bytes, "SQLite format 3", 16) != 0)
        return true;
    uint32_t page = (uint32_t)bytes[16] << 8 | bytes[17];
    if (page == 1)
        page = 65536;
    header->is_database = true;
    header->is_wal = bytes[18] == 2 || bytes[19] == 2;
    header->is_trace = big_endian_32(bytes + 68) == REEL_TRACE_APPLICATION_ID;
    header->version = big_endian_32(bytes + 60);
    header->count_is_valid = memcmp(bytes + 24, bytes + 92, 4) == 0;
    header->bytes_claimed = (uint64_t)page * big_endian_32(bytes + 28);
    return true;
}

static bool header_check(const char *path, const struct header *header, struct reel_error *error)
{
    if (header->bytes == 0) {
        /* A recorder's first commit may still be in the log alone. */
        if (side_file_has_content(path, "-wal"))
            return true;
        reel_error_set(error, REEL_ERROR_NOT_A_TRACE, 0, "%s: the file is empty", path);
        return reel_error_hint(error, "The recording ended before it began; record it again.");
    }
    if (!header->is_database) {
        reel_error_set(error, REEL_ERROR_NOT_A_TRACE, 0, "%s: not a Reel trace", path);
        return reel_error_hint(error, "Make a trace with `reel record -- PROGRAM`.");
    }
    if (!header->is_trace && !side_file_has_content(path, "-wal") &&
        !side_file_has_content(path, "-journal")) {
        reel_error_set(error, REEL_ERROR_NOT_A_TRACE, 0,
                       "%s: an SQLite database, but not a Reel trace", path);
        return reel_error_hint(error, "Make a trace with `reel record -- PROGRAM`.");
    }
    if (header->count_is_valid && header->bytes < header->bytes_claimed &&
        !side_file_has_content(path, "-wal") && !side_file_has_content(path, "-journal")) {
        reel_error_set(error, REEL_ERROR_DAMAGED, 0,
                       "%s: the trace is truncated: %llu of %llu bytes are there", path,
                       (unsigned long long)header->bytes,
                       (unsigned long long)header->bytes_claimed);
        return reel_error_hint(error, "Copy it again, or `reel recover %s`.", path);
    }
    return true;
}

static struct reel_trace *trace_new(const char *path, struct reel_error *error)
{
    struct reel_trace *trace = calloc(1, sizeof *trace);
    if (trace)
        trace->path = strdup(path);
    if (!trace || !trace->path) {
        free(trace);
        reel_error_set(error, REEL_ERROR_SYSTEM, ENOMEM, "%s: out of memory", path);
        return NULL;
    }
    return trace;
}

/* After a failure: closes without a word; the error is already set. */
static struct reel_trace *trace_discard(struct reel_trace *trace)
{
    for (unsigned i = 0; i < REEL_STATEMENT_LIMIT; i++)
        sqlite3_finalize(trace->statements[i]);
    sqlite3_close_v2(trace->database);
    free(trace->path);
    free(trace);
    return NULL;
}

/* A file's schema is data from a stranger: its views and triggers may not do anything. */
static void distrust(sqlite3 *database)
{
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_busy_timeout(database, reel_busy_milliseconds);
}

/* --- making ------------------------------------------------------------------------------- */

static bool remove_earlier_trace(const char *path, struct reel_error *error)
{
    struct stat status;
    if (lstat(path, &status) != 0) {
        if (errno == ENOENT)
            return true;
        return reel_error_set(error, REEL_ERROR_SYSTEM, errno, "%s: %s", path, strerror(errno));
    }
    struct header header;
    if (!header_read(path, &header, error))
        return false;
    if (header.bytes > 0 && !header.is_trace) {
        reel_error_set(error, REEL_ERROR_USAGE, EEXIST,
                       "%s: the file exists and is not a Reel trace; it is left alone", path);
        return reel_error_hint(error, "Choose another name with -o, or remove it.");
    }
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    for (unsigned i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        if (unlink(name) != 0 && errno != ENOENT)
            return reel_error_set(error, REEL_ERROR_SYSTEM, errno, "%s: cannot be replaced: %s",
                                  name, strerror(errno));
    }
    return true;
}

static bool put_vocabulary(struct reel_trace *trace, const char *sql, int number, const char *name,
                           const char *meaning, struct reel_error *error)
{
    sqlite3_stmt *statement;
    int code = sqlite3_prepare_v2(trace->database, sql, -1, &statement, NULL);
    if (code != SQLITE_OK)
        return reel_trace_fail(trace->database, trace->path, code, "making the trace", error);
    sqlite3_bind_int(statement, 1, number);
    reel_bind_text(statement, 2, name);
    reel_bind_text(statement, 3, meaning);
    bool good = reel_trace_run(trace, statement, "making the trace", error);
    sqlite3_finalize(statement);
    return good;
}

static bool fill_vocabulary(struct reel_trace *trace, struct reel_error *error)
{
    struct word {
        int number;
        const char *name, *meaning;
    };
#define WORD(NAME, number, text, meaning) {number, text, meaning},
    static const struct word operations[] = {REEL_OPERATIONS(WORD)};
    static const struct word classes[] = {REEL_CLASSES(WORD)};
#undef WORD
    bool good = true;
    for (size_t i = 0; good && i < sizeof operations / sizeof operations[0]; i++)
        good = put_vocabulary(trace, "INSERT INTO operation VALUES (?,?,?)", operations[i].number,
                              operations[i].name, operations[i].meaning, error);
    for (size_t i = 0; good && i < sizeof classes / sizeof classes[0]; i++)
        good = put_vocabulary(trace, "INSERT INTO class VALUES (?,?,?)", classes[i].number,
                              classes[i].name, classes[i].meaning, error);
    return good;
}

struct reel_trace *reel_trace_create(const char *path, struct reel_error *error)
{
    if (!remove_earlier_trace(path, error))
        return NULL;
    struct reel_trace *trace = trace_new(path, error);
    if (!trace)
        return NULL;
    trace->may_write = true;
    trace->recorder = true;
    int code = sqlite3_open_v2(path, &trace->database,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_EXRESCODE,
                               NULL);
    if (code != SQLITE_OK) {
        reel_trace_fail(trace->database, path, code, "cannot be made", error);
        return trace_discard(trace);
    }
    distrust(trace->database);
    char *setup = sqlite3_mprintf("PRAGMA page_size=%d; PRAGMA application_id=%d;"
                                  "PRAGMA user_version=%d; PRAGMA journal_mode=WAL;"
                                  "PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=%d",
                                  page_bytes, REEL_TRACE_APPLICATION_ID, REEL_TRACE_VERSION,
                                  checkpoint_pages);
    bool good = setup && reel_trace_execute(trace, setup, "making the trace", error) &&
                reel_trace_begin(trace, error) &&
                reel_trace_execute(trace, reel_schema_sql, "making the tables", error) &&
                fill_vocabulary(trace, error) &&
                reel_trace_set_meta(trace, "state", "recording", error) &&
                reel_trace_commit(trace, error);
    sqlite3_free(setup);
    return good ? trace : trace_discard(trace);
}

/* --- opening ------------------------------------------------------------------------------ */

/* Opens the database and reads its schema for the first time, which is when SQLite looks at locks,
 * the log and a left-over journal. Returns SQLite's code. */
static int database_open(const char *path, int flags, bool is_immutable, sqlite3 **database)
{
    /* As a URI, because `immutable` can only be said so. Of the path, '%', '?' and '#' are special.
     */
    char *name = malloc(strlen(path) * 3 + 32), *to = name;
    if (!name)
        return SQLITE_NOMEM;
    to += sprintf(to, "file:%s", path[0] == '/' && path[1] == '/' ? "//" : "");
    for (const char *from = path; *from; from++) {
        if (strchr("%?#", *from))
            to += sprintf(to, "%%%02X", (unsigned)*from);
        else
            *to++ = *from;
    }
    strcpy(to, is_immutable ? "?immutable=1" : "");
    int code = sqlite3_open_v2(
        name, database, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        NULL);
    free(name);
    if (code != SQLITE_OK)
        return code;
    distrust(*database);
    return sqlite3_exec(*database, "SELECT 1 FROM sqlite_schema LIMIT 1", NULL, NULL, NULL);
}

static int open_for_reading(const char *path, const struct header *header, sqlite3 **database)
{
    /* A file in WAL mode without a log has no recorder: SQLite would make a log to read it, which
     * it cannot in a read-only directory and which would stay behind in any other. */
    bool is_immutable = header->is_wal && !side_file_exists(path, "-wal");
    int code = database_open(path, SQLITE_OPEN_READONLY, is_immutable, database);
    if (code != SQLITE_READONLY_ROLLBACK && code != SQLITE_READONLY_RECOVERY &&
        code != SQLITE_READONLY_CANTINIT && (code & 0xff) != SQLITE_CANTOPEN)
        return code;
    /* A sealing or a recorder was killed: what it left must be rolled back (or its log read) before
     * anyone can read, which takes a writer. */
    sqlite3 *repair = NULL;
    int repaired = database_open(path, SQLITE_OPEN_READWRITE, false, &repair);
    if (repaired == SQLITE_OK)
        sqlite3_db_config(repair, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (repaired == SQLITE_OK) {
        sqlite3_close_v2(*database);
        *database = NULL;
        code = database_open(path, SQLITE_OPEN_READONLY, false, database);
    }
    sqlite3_close_v2(repair);
    return code;
}

static bool has_every_table(struct reel_trace *trace, struct reel_error *error)
{
    static const char *const tables[] = {"meta",    "operation",   "class",    "process", "thread",
                                         "mapping", "frame",       "stack",    "chunk",   "object",
                                         "event",   "event_extra", "interval", "hold",    "gap"};
    for (unsigned i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char *sql = sqlite3_mprintf(
            "SELECT count(*) FROM sqlite_schema WHERE type='table' AND name=%Q", tables[i]);
        int64_t found = sql ? reel_trace_integer(trace, sql, -1) : -1;
        sqlite3_free(sql);
        if (found == 1)
            continue;
        reel_error_set(error, REEL_ERROR_DAMAGED, 0, "%s: the trace has no table %s", trace->path,
                       tables[i]);
        return reel_error_hint(error, "`reel recover %s` saves what can be read.", trace->path);
    }
    return true;
}

static bool is_ours(struct reel_trace *trace, struct reel_error *error)
{
    int64_t application = reel_trace_integer(trace, "PRAGMA application_id", 0);
    int64_t version = reel_trace_integer(trace, "PRAGMA user_version", 0);
    if (application != REEL_TRACE_APPLICATION_ID) {
        reel_error_set(error, REEL_ERROR_NOT_A_TRACE, 0,
                       "%s: an SQLite database, but not a Reel trace", trace->path);
        return reel_error_hint(error, "Make a trace with `reel record -- PROGRAM`.");
    }
    if (version > REEL_TRACE_VERSION) {
        reel_error_set(error, REEL_ERROR_NEWER, (int)version,
                       "%s: written by a newer Reel (trace version %lld; this one knows %d)",
                       trace->path, (long long)version, REEL_TRACE_VERSION);
        return reel_error_hint(error, "Use the Reel that recorded it, or update this one.");
    }
    if (version < 1)
        return reel_error_set(error, REEL_ERROR_DAMAGED, (int)version,
                              "%s: the trace has no version", trace->path);
    return has_every_table(trace, error);
}

struct reel_trace *reel_trace_open(const char *path, enum reel_trace_mode mode,
                                   struct reel_error *error)
{
    struct header header;
    if (!header_read(path, &header, error) || !header_check(path, &header, error))
        return NULL;
    struct reel_trace *trace = trace_new(path, error);
    if (!trace)
        return NULL;
    trace->may_write = mode == REEL_TRACE_WRITE;
    if (trace->may_write && access(path, W_OK) != 0) {
        int failure = errno;
        reel_error_set(error, REEL_ERROR_SYSTEM, failure, "%s: cannot be written: %s", path,
                       strerror(failure));
        reel_error_hint(error, "Copy it to a place where you may write.");
        return trace_discard(trace);
    }
    int code = trace->may_write
                   ? database_open(path, SQLITE_OPEN_READWRITE, false, &trace->database)
                   : open_for_reading(path, &header, &trace->database);
    if (code != SQLITE_OK) {
        reel_trace_fail(trace->database, path, code, "cannot be opened", error);
        if (!trace->may_write && error && error->code == REEL_ERROR_SYSTEM)
            reel_error_hint(error, "Its recorder was killed: copy it together with its -wal or "
                                   "-journal file to a place where you may write.");
        return trace_discard(trace);
    }
    if (!is_ours(trace, error))
        return trace_discard(trace);
    reel_trace_execute(trace, "PRAGMA synchronous=NORMAL; PRAGMA cell_size_check=ON", "opening",
                       NULL);
    return trace;
}
