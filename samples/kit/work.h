/* What a sample does between its locks: computing, and waiting as one waits for a disk or a
 * server. */
#ifndef KIT_WORK_H
#define KIT_WORK_H

/* How many primes there are in [from, to): honest work for a processor, no memory, no waiting.
 * About 2 ms for [0, 20000) on a processor of today. */
long work_count_primes(long from, long to);

/* Keeps the processor busy for about so many milliseconds of its time. */
void work_compute(long milliseconds);

/* Sleeps: the thread waits and the processor is free, as in slow I/O. */
void work_wait(long milliseconds);

/* Seconds since some fixed moment. */
double work_seconds(void);

/* The next of a row of numbers that only looks random; the same row for the same seed. */
unsigned work_random(unsigned *seed);

#endif
