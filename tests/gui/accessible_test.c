/* What a screen reader finds: the viewer's accessible tree over AT-SPI, as another process sees it.
 * Every part has a name, and no control is without one. Wants a session bus.
 *   accessible_test VIEWER TRACE */
#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define ROOT "/org/a11y/atspi/accessible/root"

struct visit {
    GDBusConnection *bus;
    GHashTable *names; /* seen anywhere */
    guint unnamed;     /* controls that have none */
    guint count;
};

static GVariant *call(GDBusConnection *bus, const char *owner, const char *path,
                      const char *interface, const char *method, GVariant *arguments)
{
    return g_dbus_connection_call_sync(bus, owner, path, interface, method, arguments, NULL,
                                       G_DBUS_CALL_FLAGS_NONE, 3000, NULL, NULL);
}

static char *property(GDBusConnection *bus, const char *owner, const char *path, const char *name)
{
    g_autoptr(GVariant) answer = call(bus, owner, path, "org.freedesktop.DBus.Properties", "Get",
                                      g_variant_new("(ss)", "org.a11y.atspi.Accessible", name));
    g_autoptr(GVariant) value = NULL;
    if (!answer)
        return g_strdup("");
    g_variant_get(answer, "(v)", &value);
    return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ? g_variant_dup_string(value, NULL)
                                                              : g_strdup("");
}

static char *role_of(GDBusConnection *bus, const char *owner, const char *path)
{
    g_autoptr(GVariant) answer =
        call(bus, owner, path, "org.a11y.atspi.Accessible", "GetRoleName", NULL);
    char *role = NULL;
    if (answer)
        g_variant_get(answer, "(s)", &role);
    return role ? role : g_strdup("");
}

/* A button may be named by the label within it. */
static gboolean has_named_child(GDBusConnection *bus, GVariant *children)
{
    GVariantIter iterator;
    const char *owner, *path;
    g_variant_iter_init(&iterator, children);
    while (g_variant_iter_next(&iterator, "(&s&o)", &owner, &path)) {
        g_autofree char *name = property(bus, owner, path, "Name");
        if (*name)
            return TRUE;
    }
    return FALSE;
}

static void walk(struct visit *visit, const char *owner, const char *path, guint depth)
{
    if (depth > 40 || visit->count++ > 4000)
        return;
    g_autofree char *name = property(visit->bus, owner, path, "Name");
    g_autofree char *role = role_of(visit->bus, owner, path);
    g_autofree char *description = property(visit->bus, owner, path, "Description");
    g_hash_table_add(visit->names, g_strdup(name));
    g_autoptr(GVariant) answer =
        call(visit->bus, owner, path, "org.a11y.atspi.Accessible", "GetChildren", NULL);
    g_autoptr(GVariant) children = answer ? g_variant_get_child_value(answer, 0) : NULL;
    gboolean control = strstr(role, "button") || g_str_equal(role, "entry");
    if (control && !*name && !*description &&
        !(children && has_named_child(visit->bus, children))) {
        g_print("a %s without a name: %s\n", role, path);
        visit->unnamed++;
    }
    GVariantIter iterator;
    const char *child_owner, *child_path;
    if (!children)
        return;
    g_variant_iter_init(&iterator, children);
    while (g_variant_iter_next(&iterator, "(&s&o)", &child_owner, &child_path))
        walk(visit, child_owner, child_path, depth + 1);
}

static GDBusConnection *accessibility_bus(void)
{
    g_autoptr(GDBusConnection) session = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL);
    if (!session)
        return NULL;
    g_autoptr(GVariant) answer =
        call(session, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", NULL);
    const char *address = NULL;
    if (!answer)
        return NULL;
    g_variant_get(answer, "(&s)", &address);
    return g_dbus_connection_new_for_address_sync(
        address,
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, NULL);
}

static const char *const wanted[] = {"Timeline",       "Overview of the whole trace",
                                     "Filter",         "State at the cursor",
                                     "Wait-for graph", "Findings",
                                     "Events"};

static guint missing(struct visit *visit, gboolean tell)
{
    guint count = 0;
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        GHashTableIter iterator;
        gpointer name;
        gboolean found = FALSE;
        g_hash_table_iter_init(&iterator, visit->names);
        while (!found && g_hash_table_iter_next(&iterator, &name, NULL))
            found = g_str_has_prefix(name, wanted[i]);
        if (!found && tell)
            g_print("nothing is called \"%s\"\n", wanted[i]);
        count += !found;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    g_autoptr(GDBusConnection) bus = accessibility_bus();
    if (!bus) {
        g_print("no accessibility bus here\n");
        return 77;
    }
    g_autoptr(GError) error = NULL;
    const char *arguments[] = {argv[1], argv[2], NULL};
    g_autoptr(GSubprocess) viewer = g_subprocess_newv(arguments, G_SUBPROCESS_FLAGS_NONE, &error);
    if (!viewer)
        g_error("%s", error->message);
    struct visit visit = {.bus = bus};
    for (int tries = 0; tries < 40; tries++) {
        g_usleep(250000);
        g_clear_pointer(&visit.names, g_hash_table_unref);
        visit.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        visit.count = visit.unnamed = 0;
        walk(&visit, "org.a11y.atspi.Registry", ROOT, 0);
        if (missing(&visit, FALSE) == 0)
            break;
    }
    g_subprocess_send_signal(viewer, SIGTERM);
    g_subprocess_wait(viewer, NULL, NULL);
    g_print("%u accessible parts, %u controls without a name\n", visit.count, visit.unnamed);
    guint gone = missing(&visit, TRUE);
    g_hash_table_unref(visit.names);
    return gone || visit.unnamed ? 1 : 0;
}
