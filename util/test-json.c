#include "json.h"
#include "test.h"
