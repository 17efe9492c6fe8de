#pragma once

int version_compare(const char *a, const char *b);
