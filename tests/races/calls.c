/* Memory that functions of the C library read and write for the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "races.h"

static bool is_guilty;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
KEPT volatile long seen;

static void enter(void)
{
    if (!is_guilty)
        pthread_mutex_lock(&lock);
}

static void leave(void)
{
    if (!is_guilty)
        pthread_mutex_unlock(&lock);
}

/* A text is formatted by one thread and read as a number by another. */
KEPT char price[32] = "0";

static void *set_price(void *unused)
{
    (void)unused;
    enter();
    snprintf(price, sizeof price, "%d", 42);
    leave();
    return NULL;
}

static void *get_price(void *unused)
{
    (void)unused;
    enter();
    seen = strtol(price, NULL, 10);
    leave();
    return NULL;
}

static void formatted_text(bool guilty)
{
    is_guilty = guilty;
    run_apart(set_price, get_price, NULL);
}

/* Scanned into a variable that another thread reads. */
KEPT int width, height;
KEPT char size[16] = "80x25";

static void *scan_size(void *unused)
{
    (void)unused;
    enter();
    seen = sscanf(size, "%dx%d", &width, &height);
    leave();
    return NULL;
}

static void *use_height(void *unused)
{
    (void)unused;
    enter();
    seen = height;
    leave();
    return NULL;
}

static void scanned_number(bool guilty)
{
    is_guilty = guilty;
    run_apart(scan_size, use_height, NULL);
}

/* Sorted by one, looked up by the other. */
KEPT int scores[8] = {8, 7, 6, 5, 4, 3, 2, 1};

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void *sort_scores(void *unused)
{
    (void)unused;
    enter();
    qsort(scores, 8, sizeof *scores, compare);
    leave();
    return NULL;
}

static void *look_up_score(void *unused)
{
    (void)unused;
    enter();
    seen = scores[3];
    leave();
    return NULL;
}

static void sorted_array(bool guilty)
{
    is_guilty = guilty;
    run_apart(sort_scores, look_up_score, NULL);
}

/* A line is read into a buffer that another thread copies; or one after the other, by the lock. */
KEPT char line[64];

static void *read_line(void *unused)
{
    (void)unused;
    FILE *file = fopen("/proc/self/comm", "r");
    enter();
    if (file && fgets(line, sizeof line, file))
        seen = 1;
    leave();
    if (file)
        fclose(file);
    return NULL;
}

static void *copy_line(void *unused)
{
    (void)unused;
    enter();
    char *copy = strdup(line);
    leave();
    seen = copy ? copy[0] : 0;
    free(copy);
    return NULL;
}

static void line_of_input(bool guilty)
{
    is_guilty = guilty;
    run_apart(read_line, copy_line, NULL);
}

/* What is compared without regard to case; behind the first difference nothing is read. */
KEPT char label[16] = "alpha";

static void *change_label(void *unused)
{
    (void)unused;
    enter();
    label[is_guilty ? 0 : 8] = 'b';
    leave();
    return NULL;
}

static void *compare_label(void *unused)
{
    (void)unused;
    seen = strncasecmp(label, "ABC", sizeof label);
    return NULL;
}

static void compared_label(bool guilty)
{
    is_guilty = guilty;
    run_apart(change_label, compare_label, NULL);
}

const struct race_case call_cases[] = {
    {"formatted-text", "price", formatted_text}, {"scanned-number", "height", scanned_number},
    {"sorted-array", "scores", sorted_array},    {"line-of-input", "line", line_of_input},
    {"compared-label", "label", compared_label}, {0},
};
