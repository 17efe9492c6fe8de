#pragma once

#include "event.h"
#include "plan.h"
#include "string-list.h"

/* Tells a switch in the words of NixOS' own program, on standard error. */
typedef struct DropInStory {
        bool show_all;       /* hidden targets too */
        StringList failures; /* lines about failed jobs, told at the end */
} DropInStory;

void drop_in_story_tell(void *userdata, const cJSON *event);
void drop_in_story_tell_deprecated(void);
void drop_in_story_failures(DropInStory *story);
void drop_in_story_forecast_user(const Plan *user);
void drop_in_say(const char *format, ...) _printf_(1, 2);
void drop_in_say_list(const char *words, const StringList *units);
void drop_in_say_planned(const char *words, const Plan *plan, PlanAction action, bool show_all);
void drop_in_story_done(DropInStory *story);
