/* A block compressor of our own: four workers take blocks from a queue, find repeats through a hash
 * of four bytes (LZ77), write literals and matches, and check what they wrote by unpacking it. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define BLOCK   65536
#define BLOCKS  200

struct job {
    uint8_t *text;
    size_t size, packed_size;
    uint8_t *packed;
    struct job *next;
};

static struct job *waiting;
static int finished;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrived = PTHREAD_COND_INITIALIZER;
static size_t packed_total;

static uint32_t four(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static size_t pack(const uint8_t *text, size_t size, uint8_t *out)
{
    static __thread uint32_t seen[4096];
    size_t at = 0, written = 0, literal = 0;
    memset(seen, 0xff, sizeof seen);
    while (at + 4 < size) {
        uint32_t slot = four(text + at) * 2654435761u >> 20;
        uint32_t before = seen[slot];
        seen[slot] = (uint32_t)at;
        if (before != UINT32_MAX && at - before < 65535 && four(text + before) == four(text + at)) {
            size_t length = 4;
            while (at + length < size && length < 255 && text[before + length] == text[at + length])
                length++;
            for (; literal < at;) {
                size_t run = at - literal < 255 ? at - literal : 255;
                out[written++] = 0;
                out[written++] = (uint8_t)run;
                memcpy(out + written, text + literal, run);
                written += run;
                literal += run;
            }
            out[written++] = (uint8_t)length;
            out[written++] = (uint8_t)(at - before);
            out[written++] = (uint8_t)((at - before) >> 8);
            at += length;
            literal = at;
        } else {
            at++;
        }
    }
    for (; literal < size;) {
        size_t run = size - literal < 255 ? size - literal : 255;
        out[written++] = 0;
        out[written++] = (uint8_t)run;
        memcpy(out + written, text + literal, run);
        written += run;
        literal += run;
    }
    return written;
}

static size_t unpack(const uint8_t *packed, size_t size, uint8_t *out)
{
    size_t written = 0;
    for (size_t at = 0; at < size;) {
        size_t length = packed[at];
        if (length == 0) {
            memcpy(out + written, packed + at + 2, packed[at + 1]);
            written += packed[at + 1];
            at += 2u + packed[at + 1];
            continue;
        }
        size_t distance = packed[at + 1] | (size_t)packed[at + 2] << 8;
        for (size_t i = 0; i < length; i++, written++)
            out[written] = out[written - distance];
        at += 3;
    }
    return written;
}

static void *work(void *unused)
{
    uint8_t *check = malloc(BLOCK);
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!waiting && !finished)
            pthread_cond_wait(&arrived, &lock);
        struct job *job = waiting;
        if (job)
            waiting = job->next;
        pthread_mutex_unlock(&lock);
        if (!job)
            break;
        job->packed = malloc(2 * BLOCK);
        job->packed_size = pack(job->text, job->size, job->packed);
        if (unpack(job->packed, job->packed_size, check) != job->size ||
            memcmp(check, job->text, job->size) != 0)
            abort();
        pthread_mutex_lock(&lock);
        packed_total += job->packed_size;
        pthread_mutex_unlock(&lock);
        free(job->packed);
        free(job->text);
        free(job);
    }
    free(check);
    return NULL;
}

int main(void)
{
    pthread_t thread[THREADS];
    uint32_t state = 7;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, work, NULL);
    for (int i = 0; i < BLOCKS; i++) {
        struct job *job = calloc(1, sizeof *job);
        job->size = BLOCK;
        job->text = malloc(BLOCK);
        for (size_t k = 0; k < BLOCK; k++) {
            state = state * 1664525 + 1013904223;
            job->text[k] = (uint8_t)(k > 64 && state >> 28 ? job->text[k - 1 - (state >> 27)]
                                                           : 'a' + (state >> 24) % 26);
        }
        pthread_mutex_lock(&lock);
        job->next = waiting;
        waiting = job;
        pthread_cond_signal(&arrived);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    finished = 1;
    pthread_cond_broadcast(&arrived);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    printf("%zu\n", packed_total);
    return 0;
}
