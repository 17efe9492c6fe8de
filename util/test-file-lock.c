#include "file-lock.h"
#include "test.h"
