#include "tracer/export/kind_help.h"

static const struct reel_kind_help helps[REEL_FINDING_KIND_COUNT] = {
    [REEL_FINDING_DEADLOCK] =
        {.name = "Deadlock",
         .meaning =
             "Each thread of a circle holds something the next one waits for, so none of them can "
             "ever go on. 'observed': it happened in this run. 'proved': it did not, but the "
             "events of this run can be put in another order, which the program cannot prevent, "
             "that ends in it. 'possible': the locks were taken in opposite orders, and nothing "
             "seen excludes that two threads do so at the same time. Locks of all sorts count, and "
             "so do joins, across threads and processes; a thread that waits for a lock it holds "
             "itself, or whose owner is gone, is the shortest circle.",
         .example = "/* thread 1 */            /* thread 2 */\n"
                    "lock(&alice);             lock(&bob);\n"
                    "lock(&bob);               lock(&alice);   /* each waits for the other */\n"
                    "unlock(&bob);             unlock(&alice);\n"
                    "unlock(&alice);           unlock(&bob);\n",
         .fix = "Take the locks in one order everywhere (by address, by rank, by account number), "
                "or hold one at a time, or put both under one lock taken first. Where no order can "
                "be kept, take the second with trylock and let go of the first when it fails.",
         .severity = REEL_SEVERITY_ERROR},
    [REEL_FINDING_HANG] =
        {.name = "Hang",
         .meaning =
             "Every thread of the program waits, without a time limit, for something that only "
             "another of these threads could do, and nothing outside of the program (input, a "
             "timer, a signal, another process) can wake any of them. Nothing will ever happen "
             "again. Unlike a deadlock there need be no circle of locks: a wake-up was lost, a "
             "barrier waits for more threads than there are, bounded queues are full at both ends, "
             "or a pool's tasks wait for tasks of the same pool.",
         .example = "pthread_barrier_init(&ready, NULL, 4);\n"
                    "for (int i = 0; i < 3; i++)          /* three threads, a barrier for four */\n"
                    "    pthread_create(&t[i], NULL, work, NULL);\n"
                    "for (int i = 0; i < 3; i++)\n"
                    "    pthread_join(t[i], NULL);        /* for ever */\n",
         .fix = "Look at what the first thread in the report waits for and ask who was to end that "
                "wait: it never ran, ended early, or did its part before the wait began. Make the "
                "condition a variable that is tested under the lock, count the parties of barriers "
                "from one place, and give waits on other components a time limit.",
         .severity = REEL_SEVERITY_ERROR},
    [REEL_FINDING_RACE] =
        {.name = "DataRace",
         .meaning =
             "Two threads used the same data, at least one of them to change it, and nothing (no "
             "lock, join, queue or other hand-over) put one before the other. Which comes first is "
             "chance; each may see half of what the other wrote; compilers may assume that it "
             "never happens. One that is told as proved did not happen in this run, only because "
             "the threads got their locks in this order and not in another.",
         .example = "long counter;\n"
                    "/* in two threads */\n"
                    "for (int i = 0; i < 1000; i++)\n"
                    "    counter++;             /* read, add, write: updates get lost */\n",
         .fix =
             "Guard every use of the data, reads included, by the same lock; or make it atomic "
             "where one word is all there is to it; or hand it over through a queue so that only "
             "one thread at a time knows it.",
         .severity = REEL_SEVERITY_ERROR},
    [REEL_FINDING_MISUSE] =
        {.name = "SynchronisationMisuse",
         .meaning =
             "A lock, condition variable, barrier, semaphore or thread was used against the rules "
             "of its interface: unlocked by a thread that does not hold it, destroyed while in "
             "use, used after that, waited for with the wrong mutex, locked twice, left locked by "
             "a "
             "thread that ended, joined twice. What happens then is undefined, and changes with "
             "the C library and the load.",
         .example = "pthread_mutex_lock(&m);              /* in thread 1 */\n"
                    "pthread_mutex_unlock(&m);            /* in thread 2: not its owner */\n",
         .fix = "The report shows both moments, for example where the lock was taken and where it "
                "was given back wrongly. Keep lock and unlock in the same function; hand work from "
                "thread to thread with a semaphore, queue or condition, not by a mutex; destroy "
                "only after all users were joined.",
         .severity = REEL_SEVERITY_ERROR},
    [REEL_FINDING_CONTENTION] =
        {.name = "LockContention",
         .meaning =
             "Threads spent a large part of the run waiting for one lock. The report says how much "
             "of the parallelism the run could have had the lock cost, and at which places it was "
             "held and waited for.",
         .example = "pthread_mutex_lock(&table);\n"
                    "value = parse(read_file(name));      /* long, and needs no lock */\n"
                    "insert(name, value);\n"
                    "pthread_mutex_unlock(&table);\n",
         .fix = "Do outside of the lock what does not need it; split the lock (one a bucket, a "
                "shard, an account); let readers share it; collect results in each thread and join "
                "them once.",
         .severity = REEL_SEVERITY_WARNING},
    [REEL_FINDING_CONVOY] =
        {.name = "LockConvoy",
         .meaning =
             "One lock is held nearly all the time and handed straight from thread to thread, so "
             "that they run one at a time, like one thread, and pay for switching besides. More "
             "threads do not help and usually hurt.",
         .example = "/* in every thread */\n"
                    "while (take_job(&job)) {\n"
                    "    pthread_mutex_lock(&journal);\n"
                    "    run(job);                        /* all of the work, under the lock */\n"
                    "    pthread_mutex_unlock(&journal);\n"
                    "}\n",
         .fix = "Shorten what is done under the lock until most of the time is spent outside, or "
                "divide the data so that threads need different locks. If the work cannot be taken "
                "out, one thread with a queue does the same at less cost.",
         .severity = REEL_SEVERITY_WARNING},
    [REEL_FINDING_GIL] =
        {.name = "GlobalInterpreterLock",
         .meaning =
             "A global lock, as interpreters have one, is held whenever a thread computes and is "
             "taken away by force at a fixed interval. Threads take turns: for computing they give "
             "no speed-up, and a thread that returns from I/O waits up to an interval for its "
             "turn.",
         .example = "# Python\n"
                    "threads = [Thread(target=count_primes, args=(n,)) for n in parts]\n"
                    "# four threads, one runs at a time: as slow as one\n",
         .fix =
             "Compute in processes (multiprocessing, ProcessPoolExecutor) or in native code that "
             "gives the lock up; use threads or an event loop where the time goes into waiting "
             "for I/O.",
         .severity = REEL_SEVERITY_WARNING},
    [REEL_FINDING_LOOP_BLOCKED] =
        {.name = "BlockedEventLoop",
         .meaning =
             "A callback of an event loop ran, or waited, longer than a loop can afford. "
             "Everything else that was ready had to wait for it: the report says what, and how "
             "late it came.",
         .example =
             "static void on_click(struct loop *loop)\n"
             "{\n"
             "    render_report();                 /* 300 ms: no timer, no socket is served */\n"
             "}\n",
         .fix =
             "Cut the work into slices that return to the loop, hand it to a thread and let that "
             "wake the loop when done, or replace the blocking call by its asynchronous form.",
         .severity = REEL_SEVERITY_WARNING},
    [REEL_FINDING_QUEUE] =
        {.name = "QueueImbalance",
         .meaning =
             "A queue, pipe or socket between threads or processes is out of balance: producers "
             "mostly wait because it is full, consumers mostly starve because it is empty, or it "
             "only ever grows, and with it the age of what is in it and the memory it takes.",
         .example = "for (;;)\n"
                    "    queue_put(jobs, next_job());     /* 1,000 a second */\n"
                    "/* elsewhere, one worker */\n"
                    "for (;;)\n"
                    "    work(queue_get(jobs));           /* 100 a second */\n",
         .fix = "Match the number of producers and consumers to how long their parts take; bound "
                "the queue, so that producers slow down instead of memory filling up; pass batches "
                "where single items cost more to hand over than to work on.",
         .severity = REEL_SEVERITY_WARNING},
    [REEL_FINDING_LOST_WAKEUP] =
        {.name = "LostWakeup",
         .meaning = "A condition was signalled when nobody waited for it, and later a thread began "
                    "to wait "
                    "for it and was never woken. Signals are not remembered: who comes later must "
                    "find out "
                    "by a variable that there is nothing to wait for.",
         .example = "pthread_cond_signal(&ready);         /* thread 1: nobody waits yet */\n"
                    "\n"
                    "pthread_mutex_lock(&m);              /* thread 2, a moment later */\n"
                    "pthread_cond_wait(&ready, &m);       /* for ever */\n",
         .fix =
             "Keep the fact in a variable, change it under the mutex before signalling, and wait "
             "in a loop that tests it: while (!is_ready) pthread_cond_wait(&ready, &m);",
         .severity = REEL_SEVERITY_ERROR},
    [REEL_FINDING_OVERSUBSCRIBED] =
        {.name = "TooManyThreads",
         .meaning =
             "Far more threads wanted to run than there are processors, for a large part of the "
             "run: they wait for a processor instead of working, and switching between them costs "
             "time and cache. Or threads are made by the hundred for moments of work.",
         .example = "for (int i = 0; i < 200; i++)        /* on 4 processors */\n"
                    "    pthread_create(&t[i], NULL, compute, &part[i]);\n",
         .fix =
             "For computing use a pool of as many threads as there are processors "
             "(sysconf(_SC_NPROCESSORS_ONLN)) and a queue of tasks; more threads help only where "
             "they wait for something outside.",
         .severity = REEL_SEVERITY_INFO},
    [REEL_FINDING_SERIAL] =
        {.name = "SerialWaits",
         .meaning =
             "Waits that do not depend on each other came one after another, so their times add "
             "up; "
             "or one thread of many worked while the others waited for it. At the same time they "
             "would have taken as long as the longest.",
         .example = "for (int i = 0; i < 10; i++)\n"
                    "    fetch(url[i], &page[i]);         /* 10 x 100 ms; together: 100 ms */\n",
         .fix = "Start all of them, then wait for all: threads or a pool for a few, an event loop "
                "or asynchronous calls for many.",
         .severity = REEL_SEVERITY_INFO},
    [REEL_FINDING_LEAK] =
        {.name = "SynchronisationLeak",
         .meaning =
             "Something was made and never given back: a thread neither joined nor detached keeps "
             "its stack for ever; a lock was still held at the end; an object was never destroyed. "
             "For information: at the end of a process the kernel cleans up.",
         .example = "pthread_create(&t, NULL, work, NULL);\n"
                    "return;                              /* nobody joins t */\n",
         .fix = "Join every thread, or detach it when nobody needs its end; destroy locks before "
                "the memory they live in is given back.",
         .severity = REEL_SEVERITY_INFO},
};

const struct reel_kind_help *reel_kind_help(enum reel_finding_kind kind)
{
    return (unsigned)kind < REEL_FINDING_KIND_COUNT ? &helps[kind] : &helps[0];
}

const char *reel_kind_summary(enum reel_finding_kind kind)
{
#define SUMMARY(NAME, text, meaning) [REEL_FINDING_##NAME] = meaning,
    static const char *const summaries[] = {REEL_FINDING_KINDS(SUMMARY)};
    return (unsigned)kind < REEL_FINDING_KIND_COUNT ? summaries[kind] : "";
}
