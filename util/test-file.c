#include "file.h"
#include "test.h"
