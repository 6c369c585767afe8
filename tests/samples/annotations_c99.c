/* The annotations in a C99 program that is not recorded: see annotations_untraced.h. */
#include "annotations_untraced.h"
