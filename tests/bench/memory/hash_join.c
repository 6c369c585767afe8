/* A hash join by four threads: build a shared table under striped locks, probe it without, sum. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4
#define ROWS    200000
#define BUCKETS 65536
#define STRIPES 256

struct row {
    uint32_t key, value;
    struct row *next;
};

static struct row build_side[ROWS], probe_side[ROWS];
static struct row *bucket[BUCKETS];
static pthread_mutex_t stripe[STRIPES];
static pthread_barrier_t built;
static uint64_t total[THREADS][8];

static uint32_t hash(uint32_t key)
{
    key = (key ^ key >> 16) * 0x45d9f3bu;
    key = (key ^ key >> 16) * 0x45d9f3bu;
    return key ^ key >> 16;
}

static void insert(struct row *row)
{
    uint32_t at = hash(row->key) % BUCKETS;
    pthread_mutex_lock(&stripe[at % STRIPES]);
    row->next = bucket[at];
    bucket[at] = row;
    pthread_mutex_unlock(&stripe[at % STRIPES]);
}

static uint64_t probe(const struct row *row)
{
    uint64_t sum = 0;
    for (const struct row *match = bucket[hash(row->key) % BUCKETS]; match; match = match->next)
        if (match->key == row->key)
            sum += (uint64_t)match->value * row->value;
    return sum;
}

static void *join(void *argument)
{
    size_t me = (size_t)argument;
    for (size_t i = me; i < ROWS; i += THREADS)
        insert(&build_side[i]);
    pthread_barrier_wait(&built);
    for (int round = 0; round < 20; round++)
        for (size_t i = me; i < ROWS; i += THREADS)
            total[me][0] += probe(&probe_side[i]);
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    uint32_t state = 1;
    for (int i = 0; i < STRIPES; i++)
        pthread_mutex_init(&stripe[i], NULL);
    for (int i = 0; i < ROWS; i++) {
        state = state * 1664525 + 1013904223;
        build_side[i].key = (state >> 8) % (ROWS / 2);
        build_side[i].value = (uint32_t)i;
        state = state * 1664525 + 1013904223;
        probe_side[i].key = (state >> 8) % (ROWS / 2);
        probe_side[i].value = 1;
    }
    pthread_barrier_init(&built, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, join, (void *)i);
    uint64_t sum = 0;
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        sum += total[i][0];
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
