/* A directory of its own for each test, removed afterwards, and small things to do to files in it.
 */
#ifndef REEL_TESTS_STORE_SCRATCH_H
#define REEL_TESTS_STORE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

int scratch_setup(void **state);
int scratch_teardown(void **state);
/* DIRECTORY/name; valid until the test ends. */
const char *scratch_path(const char *directory, const char *name);
bool scratch_exists(const char *path, const char *suffix);
void scratch_write(const char *path, const void *bytes, size_t count);
void scratch_sql(const char *path, const char *sql);

#endif
