/* The words of a race: see race_report.h. */
#include "tracer/detect/race_report.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "tracer/detect/describe.h"

/* Where the block's memory was asked for in the program's own code: at a call of operator new, not
 * in it. */
static uint32_t block_stack(const struct reel_detect_context *context, const struct reel_race *race)
{
    uint32_t own = context->own_stack ? context->own_stack(context->data, race->block_stack) : 0;
    return own ? own : race->block_stack;
}

/* "counter"; "struct stats.hits of the block allocated at load (db.c:40)". */
static char *name_of(const struct reel_detect_context *context, const struct reel_race *race)
{
    if (!race->block_size)
        return g_strdup(reel_describe_object(context, race->object));
    uint64_t offset = race->address - race->block;
    const char *site = reel_describe_site(context, block_stack(context, race));
    if (*race->field)
        return g_strdup_printf("%s of the block allocated at %s", race->field, site);
    return offset ? g_strdup_printf("the heap block of %s, at offset %" PRIu64, site, offset)
                  : g_strdup_printf("the heap block of %s", site);
}

static const char *deed(const struct reel_race_access *access, bool passive)
{
    if (passive)
        return access->writes   ? access->atomic ? "written atomically" : "written"
               : access->atomic ? "read atomically"
                                : "read";
    return access->writes   ? access->atomic ? "writes atomically" : "writes"
           : access->atomic ? "reads atomically"
                            : "reads";
}

/* " holding a and b", " holding no lock", or nothing when that is not known. */
static void append_locks(const struct reel_detect_context *context,
                         const struct reel_race_access *access, GString *text)
{
    if (!access->locks_known)
        return;
    g_string_append(text, access->lock_count ? " holding " : " holding no lock");
    for (uint32_t i = 0; i < access->lock_count; i++)
        g_string_append_printf(text, "%s%s",
                               i == 0                        ? ""
                               : i + 1 == access->lock_count ? " and "
                                                             : ", ",
                               reel_describe_object(context, access->lock[i]));
}

static bool share_lock(const struct reel_race *race)
{
    for (uint32_t i = 0; i < race->a.lock_count; i++)
        for (uint32_t k = 0; k < race->b.lock_count; k++)
            if (race->a.lock[i] && race->a.lock[i] == race->b.lock[k])
                return true;
    return false;
}

/* Nothing of it says that it is not as it should be, but what it was compiled from. */
static bool may_be_atomic(const struct reel_race *race)
{
    return race->a.single && race->b.single;
}

/* "writes counter here: 4 → 5". */
static void add_access(struct reel_finding *finding, const struct reel_race *race,
                       const struct reel_race_access *access, const char *name)
{
    g_autoptr(GString) value = g_string_new(NULL);
    if (access->value_known) {
        g_string_append(value, ": ");
        if (access == &race->b && access->writes && race->value_known)
            g_string_append_printf(value, "%" PRIu64 " ", race->value);
        g_string_append_printf(value, "%s%" PRIu64, access->writes ? "→ " : "", access->value);
    }
    reel_finding_evidence(finding, access->time_ns, access->thread, race->object, access->stack,
                          "%s %s here%s", deed(access, false), name, value->str);
}

static void explain_hiding(const struct reel_detect_context *context, const struct reel_race *race,
                           GString *text)
{
    const char *first = reel_describe_thread(context, race->a.thread);
    const char *second = reel_describe_thread(context, race->b.thread);
    g_string_append(text, ". In this run the first was over when the second began, but only by the "
                          "order in which threads happened to get ");
    if (race->between)
        g_string_append_printf(text, "%s: %s had it after its access, %s before its own",
                               reel_describe_object(context, race->between), first, second);
    else
        g_string_append(text, "some locks");
    g_string_append_printf(
        text,
        ". Nothing that %s waited for or read before its access comes from %s's. "
        "A run that differs in that order alone, derived from this one event by "
        "event, has both at the same time.",
        second, first);
}

static void explain(const struct reel_detect_context *context, const struct reel_race *race,
                    const char *name, struct reel_finding *finding)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s %s ", reel_describe_thread(context, race->a.thread),
                           deed(&race->a, false));
    if (race->size)
        g_string_append_printf(text, "%u byte%s of ", race->size, race->size == 1 ? "" : "s");
    g_string_append_printf(text, "%s at %s", name, reel_describe_site(context, race->a.stack));
    append_locks(context, &race->a, text);
    g_string_append_printf(text, ", and %s %s it at %s",
                           reel_describe_thread(context, race->b.thread), deed(&race->b, false),
                           reel_describe_site(context, race->b.stack));
    append_locks(context, &race->b, text);
    if (race->hidden)
        explain_hiding(context, race, text);
    else
        g_string_append(text, ". No lock, no wait and no hand-over orders the two: what is read, "
                              "and what is left, is up to chance.");
    if (race->value_known && ((race->size && race->size <= 8) || race->b.value_known)) {
        g_string_append_printf(text,
                               " Before the second access it held %" PRIu64 " (0x%" PRIx64 ")",
                               race->value, race->value);
        if (race->b.writes && race->b.value_known)
            g_string_append_printf(text, ", after it %" PRIu64 " (0x%" PRIx64 ")", race->b.value,
                                   race->b.value);
        g_string_append_c(text, '.');
    }
    if (may_be_atomic(race))
        g_string_append(text, " Both are single loads or stores of a word, and this program does "
                              "not tell whether its source makes them atomic: they would be the "
                              "same instructions. If both are atomic there, this is no race.");
    if (race->block_size)
        g_string_append_printf(text, " The block has %" PRIu64 " bytes.", race->block_size);
    if (race->unsure)
        g_string_append(text, " Events were lost in this run; an order may be among them.");
    reel_finding_explain(finding, "%s", text->str);
}

static void fix(const struct reel_detect_context *context, const struct reel_race *race,
                const char *name, struct reel_finding *finding)
{
    const struct reel_race_access *plain = race->a.atomic ? &race->b : &race->a;
    const struct reel_race_access *guarded = race->a.lock_count ? &race->a : &race->b;
    const struct reel_race_access *bare = guarded == &race->a ? &race->b : &race->a;
    if (race->a.atomic != race->b.atomic)
        reel_finding_fix(finding,
                         "One side is atomic, the other is not, and both must be: make the access "
                         "at %s atomic too, or order it by a release store and an acquire load.",
                         reel_describe_site(context, plain->stack));
    else if (race->a.lock_count && race->b.lock_count && !share_lock(race))
        reel_finding_fix(finding,
                         "Two different locks exclude nothing: hold %s, or %s, in both places.",
                         reel_describe_object(context, race->a.lock[0]),
                         reel_describe_object(context, race->b.lock[0]));
    else if (guarded->lock_count && !share_lock(race))
        reel_finding_fix(finding, "Hold %s at %s too, as %s does.",
                         reel_describe_object(context, guarded->lock[0]),
                         reel_describe_site(context, bare->stack),
                         reel_describe_site(context, guarded->stack));
    else if (race->size && race->size <= 8 && race->a.writes != race->b.writes &&
             strcmp(reel_describe_site(context, race->a.stack),
                    reel_describe_site(context, race->b.stack)) != 0)
        reel_finding_fix(finding,
                         "If %s is a flag that tells another thread something: use an atomic, "
                         "stored with release and loaded with acquire (volatile is not enough). "
                         "Else guard it with one mutex wherever it is read or written.",
                         name);
    else
        reel_finding_fix(finding,
                         "Guard %s with one mutex wherever it is read or written, make it "
                         "atomic, or let one thread own it and send the others messages.",
                         name);
}

/* The same in every run: what is accessed, and the two places, in an order of their own. */
static void key(const struct reel_detect_context *context, const struct reel_race *race,
                struct reel_finding *finding)
{
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new("race|");
    reel_describe_key_site(context, race->a.stack, first);
    reel_describe_key_site(context, race->b.stack, second);
    if (race->block_size)
        reel_describe_key_site(context, block_stack(context, race), text);
    else
        reel_describe_key_object(context, race->object, text);
    bool swap = strcmp(first->str, second->str) > 0;
    reel_finding_key(finding, "%s|%s|%s", text->str, swap ? second->str : first->str,
                     swap ? first->str : second->str);
}

void reel_race_report(const struct reel_detect_context *context, const struct reel_race *race)
{
    g_autofree char *name = name_of(context, race);
    const bool unsure = race->unsure || may_be_atomic(race);
    struct reel_finding *finding =
        reel_finding_new(REEL_FINDING_RACE,
                         unsure         ? REEL_CONFIDENCE_POSSIBLE
                         : race->hidden ? REEL_CONFIDENCE_PROVED
                                        : REEL_CONFIDENCE_OBSERVED,
                         unsure ? REEL_SEVERITY_WARNING : REEL_SEVERITY_ERROR);
    reel_finding_title(finding, "%s %s %s by %s while %s %s it", name,
                       race->hidden ? "can be" : "is", deed(&race->b, true),
                       reel_describe_thread(context, race->b.thread),
                       reel_describe_thread(context, race->a.thread), deed(&race->a, false));
    explain(context, race, name, finding);
    fix(context, race, name, finding);
    add_access(finding, race, &race->a, name);
    add_access(finding, race, &race->b, name);
    if (race->block_size)
        reel_finding_evidence(finding, 0, 0, 0, race->block_stack, "allocated here");
    finding->time_ns = race->b.time_ns;
    key(context, race, finding);
    reel_finding_set_add(context->findings, finding);
}
