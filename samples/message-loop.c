/* message-loop: a window's event loop, made by hand of a lock and a condition.
 *
 * Shows: threads post messages, one thread takes them and calls a handler for each: this is how a
 * user interface stays in one thread. Reel cannot know that this is an event loop; four lines of
 * reel.h say so.
 * Look for: the loop "window": its waits, what woke it, each handler as a span; the handler for
 * "paint" takes longest, and posts that come meanwhile wait for it. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/thread.h"
#include "kit/work.h"

#include <reel.h>

#define MOST 1024

enum message { KEY, PAINT, QUIT };

static struct window {
    pthread_mutex_t lock;
    pthread_cond_t posted;
    enum message messages[MOST];
    long first, count;
} window = {.lock = PTHREAD_MUTEX_INITIALIZER, .posted = PTHREAD_COND_INITIALIZER};

static long messages = 20, handled[3];

static void post(enum message message)
{
    pthread_mutex_lock(&window.lock);
    CHECK_TRUE(window.count < MOST);
    window.messages[(window.first + window.count++) % MOST] = message;
    pthread_cond_signal(&window.posted);
    pthread_mutex_unlock(&window.lock);
}

static enum message next_message(void)
{
    pthread_mutex_lock(&window.lock);
    if (window.count == 0) {
        REEL_LOOP_WAIT(&window);
        while (window.count == 0)
            pthread_cond_wait(&window.posted, &window.lock);
        REEL_LOOP_WAKE(&window, window.count);
    }
    enum message message = window.messages[window.first++ % MOST];
    window.count--;
    pthread_mutex_unlock(&window.lock);
    return message;
}

static void *run_window(void *unused)
{
    static const char *const names[] = {"key", "paint", "quit"};
    (void)unused;
    REEL_LOOP_NAME(&window, "window");
    for (enum message message = KEY; message != QUIT;) {
        message = next_message();
        REEL_LOOP_CALLBACK_BEGIN(&window, names[message]);
        if (message == PAINT)
            work_wait(10);
        handled[message]++;
        REEL_LOOP_CALLBACK_END(&window, names[message]);
    }
    return NULL;
}

static void *type_keys(void *unused)
{
    (void)unused;
    for (long i = 0; i < messages; i++) {
        work_wait(7);
        post(KEY);
    }
    return NULL;
}

static void *ask_to_paint(void *unused)
{
    (void)unused;
    for (long i = 0; i < messages / 2; i++) {
        work_wait(16);
        post(PAINT);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    arguments_read(argc, argv, "A hand-made event loop handles messages from other threads.",
                   ARGUMENTS(NUMBER("messages", &messages, 2, 500, "keys that are pressed")));
    pthread_t loop = thread_start(run_window, NULL, "window");
    pthread_t keyboard = thread_start(type_keys, NULL, "keyboard");
    pthread_t screen = thread_start(ask_to_paint, NULL, "screen");
    thread_join(keyboard);
    thread_join(screen);
    post(QUIT);
    thread_join(loop);
    printf("%ld keys, %ld paintings, then quit\n", handled[KEY], handled[PAINT]);
    return 0;
}
