/* A rollback journal as SQLite writes it ("Database File Format", section 3): the original content
 * of the pages about to be changed and the original size of the file. While it exists, whoever
 * opens the database next and finds nobody at work puts all that back. Removing it is the commit.
 */
#ifndef REEL_STORE_ROLLBACK_JOURNAL_H
#define REEL_STORE_ROLLBACK_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

struct reel_saved_page {
    uint32_t number;
    const uint8_t *content;
};

/* Writes and syncs the journal `name` (sqlite3_filename_journal knows it). The caller holds the
 * database's exclusive lock. 0 or -errno. */
int reel_rollback_journal_write(const char *name, uint32_t page_bytes, uint32_t pages_before,
                                const struct reel_saved_page *pages, unsigned count);
/* 0 or -errno. */
int reel_rollback_journal_remove(const char *name);

#endif
