/* occupy COMMAND…: runs a command whose processes find all debug registers in use. */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static long words[4];

int main(int argc, char **argv)
{
    for (int i = 0; i < 4; i++) {
        struct perf_event_attr attributes = {.type = PERF_TYPE_BREAKPOINT,
                                             .size = sizeof attributes,
                                             .bp_type = HW_BREAKPOINT_W,
                                             .bp_addr = (unsigned long)&words[i],
                                             .bp_len = 8,
                                             .sample_period = 1,
                                             .inherit = 1,
                                             .exclude_kernel = 1};
        if (syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0) < 0)
            return 77; /* none here: nothing to test */
    }
    if (argc > 1)
        execvp(argv[1], argv + 1);
    perror("occupy");
    return 2;
}
