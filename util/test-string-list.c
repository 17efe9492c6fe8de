#include "string-list.h"
#include "test.h"
