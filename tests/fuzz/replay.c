/* Runs a fuzz target without a fuzzer, so that any compiler builds it: every file of the
 * directories given, and with --random N as many inputs made of nothing, the same in every run. */
#include "tests/unit/store/random.h"

#include <dirent.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    static uint8_t buffer[1 << 20];
    size_t size = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    /* A block of just this size, so that a sanitizer sees a read beyond it. */
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, buffer, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int run_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) {
        perror(path);
        return -1;
    }
    int files = 0;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && run_file(path, entry->d_name) == 0)
            files++;
    closedir(directory);
    printf("%s: %d inputs\n", path, files);
    return files > 0 ? 0 : -1;
}

static void run_random(unsigned count)
{
    uint64_t seed = 2463534242;
    for (unsigned i = 0; i < count; i++) {
        size_t size = random_below(&seed, 80);
        uint8_t *data = malloc(size + 1);
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)(random_next(&seed) >> 56 >> random_below(&seed, 8));
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("%u random inputs\n", count);
}

int main(int count, char **arguments)
{
    int result = 0;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--random") == 0 && i + 1 < count)
            run_random((unsigned)atoi(arguments[++i]));
        else if (run_directory(arguments[i]) != 0)
            result = 1;
    }
    return result;
}
