#!/bin/sh
# After start, recording adds no system call and no descriptor: the calls that a program makes
# between two marks (calls that fail with a number nobody has) are the same bare and recorded.
#
#   system_calls.sh REEL PROGRAM
command -v strace >/dev/null || exit 77
reel=$(realpath "$1") program=$(realpath "$2")
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
strace -f -qq -o probe true 2>/dev/null || exit 77
strace -f -qq -o bare "$program" quiet >bare.out || exit 99
# Strace runs inside of the recording, and passes on to the program what it was given.
"$reel" record --quiet --no-seal -o trace.reel -- strace -f -qq -o recorded "$program" quiet \
    >recorded.out || exit 99
for run in bare recorded; do
    # What lies between the marks: names only, how often each; of every thread.
    sed -n '/close(-4242)/,/close(-4243)/p' $run | sed 's/^[0-9]* *//; s/(.*//; /^</d; /^---/d' |
        grep -v -e futex -e restart_syscall -e sched_yield | sort | uniq -c >$run.calls
done
cmp -s bare.out recorded.out || { diff bare.out recorded.out; exit 1; }
[ -s bare.calls ] || { echo "no marks found"; exit 1; }
grep -q REEL_REGION recorded && sed -n '1,3p' recorded
diff bare.calls recorded.calls
