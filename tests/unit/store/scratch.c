#include "tests/unit/store/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

int scratch_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *directory = NULL;
    if (asprintf(&directory, "%s/reel-store-XXXXXX", base ? base : "/tmp") < 0 ||
        !mkdtemp(directory))
        return -1;
    chmod(directory, 0755); /* some tests read it as another user */
    *state = directory;
    return 0;
}

int scratch_teardown(void **state)
{
    DIR *directory = opendir(*state);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    int result = rmdir(*state);
    free(*state);
    return result;
}

const char *scratch_path(const char *directory, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

bool scratch_exists(const char *path, const char *suffix)
{
    char name[600];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    return access(name, F_OK) == 0;
}

void scratch_write(const char *path, const void *bytes, size_t count)
{
    unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    fclose(file);
}

void scratch_sql(const char *path, const char *sql)
{
    sqlite3 *database;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}
