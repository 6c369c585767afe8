#include "tracer/symbols/demangle.h"

#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* The C++ runtime's own function (Itanium C++ ABI, __cxa_demangle), if the machine has one: Reel is
 * not linked with it. */
typedef char *(*demangler)(const char *name, char *buffer, size_t *size, int *status);

static demangler find_demangler(void)
{
    static gsize found;
    if (g_once_init_enter(&found)) {
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        gsize function = library ? (gsize)dlsym(library, "__cxa_demangle") : 0;
        g_once_init_leave(&found, function ? function : 1);
    }
    return found == 1 ? NULL : (demangler)found;
}

/* Rust's legacy names end in a hash that says nothing: path::function::h0123456789abcdef. */
static void drop_hash(char *name)
{
    size_t length = strlen(name);
    if (length > 19 && strncmp(name + length - 19, "::h", 3) == 0 &&
        strspn(name + length - 16, "0123456789abcdef") == 16)
        name[length - 19] = '\0';
}

char *reel_demangle(const char *name)
{
    if (name[0] != '_' || name[1] != 'Z')
        return g_strdup(name);
    demangler demangle = find_demangler();
    int status = -1;
    char *readable = demangle ? demangle(name, NULL, NULL, &status) : NULL;
    if (!readable || status != 0) {
        free(readable);
        return g_strdup(name);
    }
    char *copy = g_strdup(readable);
    free(readable);
    drop_hash(copy);
    return copy;
}
