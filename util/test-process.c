#include "process.h"
#include "test.h"
