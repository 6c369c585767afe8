/* Names as their programmers wrote them: C++ and old-style Rust. */
#ifndef REEL_SYMBOLS_DEMANGLE_H
#define REEL_SYMBOLS_DEMANGLE_H

/* The readable form of a linker name; the name itself where it is not mangled, or nothing on this
 * machine can read it. Caller frees with g_free. */
char *reel_demangle(const char *name);

#endif
