// The annotations in a C++98 program that is not recorded: see annotations_untraced.h.
#include "annotations_untraced.h"
