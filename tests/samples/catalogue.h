/* samples/catalogue.tsv, read: see there for what each field means. */
#ifndef SAMPLES_CATALOGUE_H
#define SAMPLES_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

#define CATALOGUE_MOST 200

struct sample {
    char *name, *program, *arguments, *quick, *finding, *topic, *see;
    bool hangs, output_varies;
};

struct catalogue {
    struct sample samples[CATALOGUE_MOST];
    size_t count;
    char *text; /* what all the strings point into */
};

/* Reads the file into `catalogue`; false, and why in `reason`, when it breaks its own rules. */
bool catalogue_read(struct catalogue *catalogue, const char *path, char reason[256]);
void catalogue_free(struct catalogue *catalogue);

/* The whole of a text file, for the caller to free; NULL, and errno, when it cannot be read. */
char *catalogue_text(const char *path);

bool catalogue_has_program(const struct catalogue *catalogue, const char *program);

#endif
