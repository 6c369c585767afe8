/* A database under threads that share one connection: every step locks and unlocks many times.
 * Prints the seconds it took. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sqlite3 *database;
static int rows;

static void *work(void *seed)
{
    sqlite3_stmt *statement;
    unsigned state = (unsigned)(size_t)seed;
    if (sqlite3_prepare_v2(database, "SELECT value FROM item WHERE id = ?", -1, &statement, NULL))
        exit(1);
    for (int i = 0; i < rows * 8; i++) {
        state = state * 1103515245u + 12345u;
        sqlite3_bind_int(statement, 1, (int)(state >> 8) % rows);
        while (sqlite3_step(statement) == SQLITE_ROW)
            sqlite3_column_int(statement, 0);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return NULL;
}

int main(int argc, char **argv)
{
    rows = argc > 1 ? atoi(argv[1]) : 20000;
    int threads = argc > 2 ? atoi(argv[2]) : 2;
    pthread_t thread[64];
    struct timespec begin, end;
    sqlite3_config(SQLITE_CONFIG_SERIALIZED);
    if (sqlite3_open(":memory:", &database) ||
        sqlite3_exec(database, "CREATE TABLE item(id INTEGER PRIMARY KEY, value); BEGIN", 0, 0, 0))
        return 1;
    for (int i = 0; i < rows; i++) {
        char sql[80];
        snprintf(sql, sizeof sql, "INSERT INTO item VALUES(%d, %d)", i, i * 7);
        sqlite3_exec(database, sql, 0, 0, 0);
    }
    sqlite3_exec(database, "COMMIT", 0, 0, 0);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int i = 0; i < threads && i < 64; i++)
        pthread_create(&thread[i], NULL, work, (void *)(size_t)(i + 1));
    for (int i = 0; i < threads && i < 64; i++)
        pthread_join(thread[i], NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.4f\n",
           (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    sqlite3_close(database);
    return 0;
}
