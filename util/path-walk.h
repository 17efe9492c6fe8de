#pragma once

int path_walk(int root_fd, const char *path, char **ret_path);
