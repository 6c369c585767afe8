/* Words for threads, objects and places: see describe.h. */
#include "tracer/detect/describe.h"

#include <string.h>

const struct reel_object *reel_describe_facts(const struct reel_detect_context *context,
                                              uint32_t object)
{
    return object && context->object ? context->object(context->data, object) : NULL;
}

enum reel_class reel_class_of(const struct reel_detect_context *context, uint32_t object)
{
    const struct reel_object *facts = reel_describe_facts(context, object);
    if (facts)
        return (enum reel_class)facts->class;
    const struct reel_world_object *known = reel_world_object(context->world, object);
    return known ? (enum reel_class)known->class : REEL_CLASS_NONE;
}

uint32_t reel_thread_of(const struct reel_detect_context *context, uint32_t object)
{
    const struct reel_object *facts = reel_describe_facts(context, object);
    return facts && facts->class == REEL_CLASS_THREAD && facts->address < REEL_MODEL_NUMBER_LIMIT
               ? (uint32_t)facts->address
               : 0;
}

const char *reel_describe_class(const struct reel_detect_context *context, uint32_t object)
{
    enum reel_class class = reel_class_of(context, object);
    return class ? reel_class_name(class) : "object";
}

const char *reel_describe_object(const struct reel_detect_context *context, uint32_t object)
{
    const char *name =
        object && context->object_name ? context->object_name(context->data, object) : NULL;
    return name && *name ? name : object ? reel_describe_class(context, object) : "something";
}

const char *reel_describe_thread(const struct reel_detect_context *context, uint32_t thread)
{
    const char *name =
        thread && context->thread_name ? context->thread_name(context->data, thread) : NULL;
    return name && *name ? name : "a thread";
}

static const char *known_site(const struct reel_detect_context *context, uint32_t stack)
{
    const char *site = stack && context->site ? context->site(context->data, stack) : NULL;
    return site && *site ? site : NULL;
}

const char *reel_describe_at(const struct reel_detect_context *context, uint32_t stack,
                             GString *text)
{
    const char *site = known_site(context, stack);
    g_string_truncate(text, 0);
    if (site)
        g_string_append_printf(text, " at %s", site);
    return text->str;
}

const char *reel_describe_site(const struct reel_detect_context *context, uint32_t stack)
{
    const char *site = known_site(context, stack);
    return site ? site : "an unknown place";
}

void reel_describe_key_object(const struct reel_detect_context *context, uint32_t object,
                              GString *key)
{
    const char *name = reel_describe_object(context, object);
    const char *number = strstr(name, " #");
    const char *place = number ? strstr(number, " (") : NULL;
    if (place) { /* numbers of one place's objects depend on who came first */
        g_string_append_len(key, name, number - name);
        g_string_append(key, place);
    } else {
        g_string_append(key, name);
    }
}

void reel_describe_key_site(const struct reel_detect_context *context, uint32_t stack, GString *key)
{
    const char *site = known_site(context, stack);
    g_string_append(key, site ? site : "?");
}

const char *reel_describe_duration(uint64_t ns, char *text)
{
    if (ns < 1000)
        g_snprintf(text, 32, "%llu ns", (unsigned long long)ns);
    else if (ns < 1000000)
        g_snprintf(text, 32, "%.3g µs", (double)ns / 1e3);
    else if (ns < 1000000000)
        g_snprintf(text, 32, "%.3g ms", (double)ns / 1e6);
    else
        g_snprintf(text, 32, "%.3g s", (double)ns / 1e9);
    return text;
}
