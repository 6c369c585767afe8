#include "tracer/store/page_scan.h"

#include <stdlib.h>
#include <string.h>

#define LEAF      0x0d
#define INTERIOR  0x05
#define DEPTH     20u /* of any b-tree that fits a file */
#define READ_SIZE (1u << 20)

struct scan {
    /* SQLite's own: another descriptor of the file, when closed, would let go of the process's
     * POSIX locks on it, and with them of SQLite's. */
    sqlite3_file *file;
    uint32_t page_size, usable;
    uint32_t pages;
    uint32_t budget; /* pages that may still be visited: a damaged tree may go in circles */
    int64_t from, to;
    bool (*row)(void *data, const struct reel_scan_row *row);
    void *data;
    uint8_t *page[DEPTH]; /* one for each level */
    uint8_t *ahead;       /* the pages read last */
    uint64_t ahead_offset;
    size_t ahead_size;
};

static unsigned big16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t big32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* SQLite's varint: big-endian, up to nine bytes, the ninth of eight bits. Returns how many; 0 past
 * the end. */
static inline unsigned varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    if (at < end && *at < 0x80) {
        *value = *at;
        return 1;
    }
    uint64_t result = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (at + i >= end)
            return 0;
        result = result << 7 | (at[i] & 0x7fu);
        if (at[i] < 0x80) {
            *value = result;
            return i + 1;
        }
    }
    if (at + 8 >= end)
        return 0;
    *value = result << 8 | at[8];
    return 9;
}

static int64_t integer(const uint8_t *at, unsigned bytes)
{
    uint64_t value = *at & 0x80 ? UINT64_MAX : 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

/* Bytes of a serial type; false for what no row of ours has (a real, a reserved type). */
static inline bool size_of(uint64_t type, uint64_t *size)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 0, 0, 0, 0, 0};
    if (type < 12) {
        *size = sizes[type];
        return type != 7 && type < 10;
    }
    *size = (type - 12) / 2;
    return true;
}

static bool read_row(const uint8_t *payload, const uint8_t *end, struct reel_scan_row *row)
{
    uint64_t header;
    unsigned taken = varint(payload, end, &header);
    if (!taken || header < taken || header > (uint64_t)(end - payload))
        return false;
    const uint8_t *types = payload + taken, *types_end = payload + header, *value = types_end;
    row->columns = 0;
    while (types < types_end && row->columns < REEL_SCAN_COLUMNS) {
        uint64_t type, size;
        taken = varint(types, types_end, &type);
        if (!taken || !size_of(type, &size) || size > (uint64_t)(end - value))
            return false;
        struct reel_scan_value *out = &row->value[row->columns++];
        *out = (struct reel_scan_value){.is_null = type == 0};
        if (type >= 12) {
            out->text = type % 2 ? (const char *)value : NULL; /* a blob is as good as NULL here */
            out->number = (int64_t)size;
        } else if (type == 9) {
            out->number = 1;
        } else if (size) {
            out->number = integer(value, (unsigned)size);
        }
        value += size;
        types += taken;
    }
    for (unsigned i = row->columns; i < REEL_SCAN_COLUMNS; i++)
        row->value[i] = (struct reel_scan_value){.is_null = true};
    return true;
}

static bool read_page(struct scan *scan, uint32_t number, uint8_t *page)
{
    if (number == 0 || number > scan->pages || scan->budget-- == 0)
        return false;
    uint64_t offset = (uint64_t)(number - 1) * scan->page_size;
    if (offset < scan->ahead_offset ||
        offset + scan->page_size > scan->ahead_offset + scan->ahead_size) {
        uint64_t left = (uint64_t)scan->pages * scan->page_size - offset;
        size_t size = left < READ_SIZE ? (size_t)left : READ_SIZE;
        scan->ahead_offset = offset;
        scan->ahead_size = 0;
        if (scan->file->pMethods->xRead(scan->file, scan->ahead, (int)size,
                                        (sqlite3_int64)offset) != SQLITE_OK)
            return false;
        scan->ahead_size = size;
    }
    memcpy(page, scan->ahead + (offset - scan->ahead_offset), scan->page_size);
    return true;
}

static enum reel_scan_end scan_leaf(struct scan *scan, const uint8_t *page, const uint8_t *header)
{
    const uint8_t *end = page + scan->usable;
    unsigned cells = big16(header + 3);
    const uint8_t *pointers = header + 8;
    if (pointers + 2 * cells > end)
        return REEL_SCAN_CANNOT;
    struct reel_scan_row row;
    for (unsigned i = 0; i < cells; i++) {
        unsigned place = big16(pointers + 2 * i);
        const uint8_t *cell = page + (place < scan->usable ? place : scan->usable);
        uint64_t size, id;
        unsigned taken = varint(cell, end, &size);
        if (!taken)
            return REEL_SCAN_CANNOT;
        cell += taken;
        taken = varint(cell, end, &id);
        /* A row that does not fit its page goes on elsewhere: not ours. */
        if (!taken || size > scan->usable - 35 || size > (uint64_t)(end - cell - taken))
            return REEL_SCAN_CANNOT;
        cell += taken;
        row.id = (int64_t)id;
        if (row.id < scan->from)
            continue;
        if (row.id >= scan->to)
            return REEL_SCAN_DONE;
        if (!read_row(cell, cell + size, &row))
            return REEL_SCAN_CANNOT;
        if (!scan->row(scan->data, &row))
            return REEL_SCAN_STOPPED;
        scan->from = row.id + 1; /* where SQLite would go on; out of order is damage */
    }
    return REEL_SCAN_DONE;
}

static enum reel_scan_end scan_page(struct scan *scan, uint32_t number, unsigned level)
{
    if (level >= DEPTH)
        return REEL_SCAN_CANNOT;
    if (!scan->page[level] && !(scan->page[level] = malloc(scan->page_size)))
        return REEL_SCAN_CANNOT;
    uint8_t *page = scan->page[level];
    if (!read_page(scan, number, page))
        return REEL_SCAN_CANNOT;
    const uint8_t *header = page + (number == 1 ? 100 : 0), *end = page + scan->usable;
    if (*header == LEAF)
        return scan_leaf(scan, page, header);
    if (*header != INTERIOR)
        return REEL_SCAN_CANNOT;
    unsigned cells = big16(header + 3);
    const uint8_t *pointers = header + 12;
    if (pointers + 2 * cells > end)
        return REEL_SCAN_CANNOT;
    for (unsigned i = 0; i < cells; i++) {
        unsigned place = big16(pointers + 2 * i);
        const uint8_t *cell = page + place;
        uint64_t last; /* id within the child */
        if (place + 4 >= scan->usable || !varint(cell + 4, end, &last))
            return REEL_SCAN_CANNOT;
        if ((int64_t)last < scan->from)
            continue;
        enum reel_scan_end result = scan_page(scan, big32(cell), level + 1);
        if (result != REEL_SCAN_DONE || (int64_t)last >= scan->to)
            return result;
    }
    return scan_page(scan, big32(header + 8), level + 1);
}

static uint32_t root_of(sqlite3 *database, const char *table)
{
    sqlite3_stmt *statement;
    uint32_t root = 0;
    if (sqlite3_prepare_v2(database,
                           "SELECT rootpage FROM sqlite_master WHERE type = 'table' AND name = ?",
                           -1, &statement, NULL) != SQLITE_OK)
        return 0;
    sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(statement) == SQLITE_ROW)
        root = (uint32_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return root;
}

static bool is_rollback_mode(sqlite3 *database)
{
    sqlite3_stmt *statement;
    bool wal = true;
    if (sqlite3_prepare_v2(database, "PRAGMA journal_mode", -1, &statement, NULL) != SQLITE_OK)
        return false;
    if (sqlite3_step(statement) == SQLITE_ROW)
        wal = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    sqlite3_finalize(statement);
    return !wal;
}

/* Page size, reserved bytes and the format's magic. */
static bool read_header(struct scan *scan)
{
    uint8_t header[100];
    sqlite3_int64 size;
    if (!scan->file || !scan->file->pMethods ||
        scan->file->pMethods->xRead(scan->file, header, sizeof header, 0) != SQLITE_OK ||
        memcmp(header, "SQLite format 3", 16) != 0 ||
        scan->file->pMethods->xFileSize(scan->file, &size) != SQLITE_OK)
        return false;
    scan->page_size = big16(header + 16) == 1 ? 65536 : big16(header + 16);
    if (scan->page_size < 512 || (scan->page_size & (scan->page_size - 1)) != 0)
        return false;
    scan->usable = scan->page_size - header[20];
    scan->pages = (uint32_t)((uint64_t)size / scan->page_size);
    scan->budget = scan->pages;
    return scan->usable >= 480;
}

enum reel_scan_end reel_page_scan(struct reel_trace *trace, const char *table, int64_t from,
                                  int64_t to,
                                  bool (*row)(void *data, const struct reel_scan_row *row),
                                  void *data)
{
    sqlite3 *database = reel_trace_database(trace);
    struct scan scan = {.from = from, .to = to, .row = row, .data = data};
    enum reel_scan_end result = REEL_SCAN_CANNOT;
    if (!is_rollback_mode(database) || !sqlite3_get_autocommit(database) ||
        sqlite3_exec(database, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        return result;
    uint32_t root = root_of(database, table); /* takes the read lock as well */
    scan.ahead = malloc(READ_SIZE);
    if (root && scan.ahead &&
        sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &scan.file) ==
            SQLITE_OK &&
        read_header(&scan))
        result = scan_page(&scan, root, 0);
    sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    free(scan.ahead);
    for (unsigned i = 0; i < DEPTH; i++)
        free(scan.page[i]);
    return result;
}
