#pragma once

int menu_sign_read(const char *root, char **ret_sign);
