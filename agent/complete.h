#pragma once

int complete_run(int argc, char **argv);
