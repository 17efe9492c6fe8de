#pragma once

#include "plan.h"
#include "string-list.h"

#define NIXOS_DIRECTORY "/run/nixos"

/* Lists that the activation script writes. */
#define LIST_ACTIVATION_RESTART     "activation-restart-list"
#define LIST_ACTIVATION_RELOAD      "activation-reload-list"
#define LIST_DRY_ACTIVATION_RESTART "dry-activation-restart-list"
#define LIST_DRY_ACTIVATION_RELOAD  "dry-activation-reload-list"

int unit_lists_read(const char *directory, const char *name, StringList *units, StringList *notes);
void unit_lists_remove(const char *directory, const char *name);

int unit_lists_write_plan(const char *directory, const Plan *plan);
void unit_lists_turn_back(const char *directory, const char *to);
void unit_lists_remove_action(const char *directory, PlanAction action);
int unit_lists_read_leftovers(const char *directory, const char *to, PlanLeftovers *leftovers,
                              StringList *notes);
