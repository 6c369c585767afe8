/* A library whose constructor runs a thread, and whose destructor locks. */
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int value;

int module_value(void);

static void *work(void *unused)
{
    pthread_mutex_lock(&mutex);
    value = 42;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

__attribute__((constructor)) static void load(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
}

__attribute__((destructor)) static void unload(void)
{
    pthread_mutex_lock(&mutex);
    value = 0;
    pthread_mutex_unlock(&mutex);
}

int module_value(void)
{
    return value;
}
