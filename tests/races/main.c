#include "races.h"

#include <stddef.h>

int main(int argc, char **argv)
{
    const struct race_case *const tables[] = {plain_cases,  atomic_cases,  lock_cases,
                                              memory_cases, process_cases, hidden_cases,
                                              call_cases,   word_cases,    NULL};
    return run_cases(argc, argv, tables);
}
