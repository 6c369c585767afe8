/* Reads samples/catalogue.tsv: see catalogue.h. */
#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *catalogue_text(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    size_t room = 0;
    if (getdelim(&text, &room, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* "yes" or "no", "varies" or "same": the first of the two is true. */
static bool read_word(const char *field, const char *truth, const char *lie, bool *value)
{
    *value = strcmp(field, truth) == 0;
    return *value || strcmp(field, lie) == 0;
}

static const char *parse_line(char *line, struct sample *sample)
{
    char *fields[9];
    size_t count = 0;
    for (char *field; (field = strsep(&line, "\t")) != NULL; count++) {
        if (count == 9)
            return "more than nine fields";
        if (field[0] == '\0')
            return "an empty field";
        fields[count] = field;
    }
    if (count != 9)
        return "fewer than nine fields";
    *sample = (struct sample){.name = fields[0],
                              .program = fields[1],
                              .arguments = fields[2],
                              .quick = fields[3],
                              .finding = fields[6],
                              .topic = fields[7],
                              .see = fields[8]};
    if (!read_word(fields[4], "yes", "no", &sample->hangs))
        return "'hangs' is neither yes nor no";
    if (!read_word(fields[5], "varies", "same", &sample->output_varies))
        return "'output' is neither same nor varies";
    return NULL;
}

bool catalogue_read(struct catalogue *catalogue, const char *path, char reason[256])
{
    *catalogue = (struct catalogue){.text = catalogue_text(path)};
    if (catalogue->text == NULL) {
        snprintf(reason, 256, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    char *rest = catalogue->text;
    int number = 0;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        number++;
        if (line[0] == '#' || line[0] == '\0')
            continue;
        const char *wrong = catalogue->count == CATALOGUE_MOST
                                ? "more samples than the test has room for"
                                : parse_line(line, &catalogue->samples[catalogue->count]);
        if (wrong != NULL) {
            snprintf(reason, 256, "%s:%d: %s", path, number, wrong);
            return false;
        }
        catalogue->count++;
    }
    return true;
}

void catalogue_free(struct catalogue *catalogue)
{
    free(catalogue->text);
    *catalogue = (struct catalogue){0};
}

bool catalogue_has_program(const struct catalogue *catalogue, const char *program)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        if (strcmp(catalogue->samples[i].program, program) == 0)
            return true;
    }
    return false;
}
