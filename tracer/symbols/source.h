/* What the source says at a line: used to name heap objects after the expression that made them. */
#ifndef REEL_SYMBOLS_SOURCE_H
#define REEL_SYMBOLS_SOURCE_H

struct reel_sources;

struct reel_sources *reel_sources_new(void);
void reel_sources_free(struct reel_sources *sources);

/* The text of a line, without its end; NULL when the file cannot be read or is shorter. Valid until
 * the sources are freed. Files are read once; very large ones not at all. */
const char *reel_sources_line(struct reel_sources *sources, const char *file, int line);

/* What a call on that line is applied to: of "pthread_mutex_init(&account->lock, NULL);" it is
 * "account->lock". NULL when the line shows none. g_free. */
char *reel_sources_argument(struct reel_sources *sources, const char *file, int line);

#endif
