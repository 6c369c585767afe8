/* reel-viewer: opens the traces it is given, each in a window; draws them into files. */
#include <locale.h>

#include "viewer/application.h"

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    g_autoptr(GtkApplication) application = reel_application_new();
    return g_application_run(G_APPLICATION(application), argc, argv);
}
