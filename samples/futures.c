/* futures: hand in work, go on, ask for the result when it is needed.
 *
 * Shows: submit returns a future at once; main works on something else meanwhile, and waits only
 * when it takes a result that is not there yet.
 * Look for: three tasks on the workers while main computes; the future of "report" is taken last
 * and waits, the others were done before anybody asked. */
#include "kit/arguments.h"
#include "kit/check.h"
#include "kit/pool.h"
#include "kit/work.h"

struct query {
    const char *name;
    long milliseconds, answer;
};

static long ask_database(void *argument)
{
    struct query *query = argument;
    work_wait(query->milliseconds);
    return query->answer;
}

int main(int argc, char **argv)
{
    long milliseconds = 60;
    arguments_read(argc, argv, "Futures: results that are asked for later.",
                   ARGUMENTS(NUMBER("ms", &milliseconds, 1, 1000, "the fastest query")));
    struct query queries[] = {{"customers", milliseconds, 120},
                              {"orders", milliseconds * 2, 900},
                              {"report", milliseconds * 6, 42}};
    struct future *futures[3];

    struct pool *pool = pool_new(3, "database");
    for (int i = 0; i < 3; i++)
        futures[i] = pool_submit(pool, queries[i].name, ask_database, &queries[i]);
    printf("three queries under way, the report is %s\n",
           future_done(futures[2]) ? "done" : "not done");

    printf("meanwhile main finds %ld primes\n", work_count_primes(0, 100000));
    work_wait(milliseconds * 3);

    for (int i = 0; i < 3; i++)
        printf("%s: %ld\n", queries[i].name, future_take(futures[i]));
    pool_free(pool);
    return 0;
}
