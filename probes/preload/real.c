#include "probes/preload/real.h"

struct reel_real reel_real;

void reel_real_resolve(void)
{
#define REEL_REAL_FIND(name) reel_real.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);
#define REEL_REAL_FIND_VERSIONED(name, version)                                                    \
    reel_real.name = (__typeof__(&name))dlvsym(RTLD_NEXT, #name, version);                         \
    if (!reel_real.name)                                                                           \
        reel_real.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);
    REEL_REAL_FUNCTIONS(REEL_REAL_FIND)
    REEL_REAL_VERSIONED(REEL_REAL_FIND_VERSIONED)
}
