/*
 * Where a rollback without a number leads: to the system that ran before the running one began to
 * run. The history has what each switch came from and went to; between two of them a reboot or
 * another program may have brought a third, which shows by what the next one came from. So it is
 * told again from its beginning, as a stack: what begins to run lies on what ran before it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "way-back.h"

typedef struct Ran {
        const char *path;
        bool tested; /* a reboot undoes it */
} Ran;

/* What ran, the last on top; all paths are the history's. */
typedef struct Stack {
        Ran *items;
        size_t n;
} Stack;

static bool lies_on_top(const Stack *stack, const char *path) {
        return stack->n > 0 && strcmp(stack->items[stack->n - 1].path, path) == 0;
}

static void push(Stack *stack, const char *path, bool tested) {
        if (lies_on_top(stack, path))
                stack->items[stack->n - 1].tested &= tested;
        else
                stack->items[stack->n++] = (Ran){ path, tested };
}

/* It ran, whatever has brought it there. What was only tested is undone by a reboot, and has not
 * been before it then. */
static void see(Stack *stack, const char *path) {
        size_t n = stack->n;

        while (n > 0 && stack->items[n - 1].tested && strcmp(stack->items[n - 1].path, path) != 0)
                n--;
        if (n > 0 && strcmp(stack->items[n - 1].path, path) == 0)
                stack->n = n;
        else
                push(stack, path, false);
}

/* What a rollback has left is no place to go back to: that would swing to and fro. */
static void go_back(Stack *stack, const char *path) {
        if (lies_on_top(stack, path))
                return;
        for (size_t i = stack->n; i > 0; i--)
                if (strcmp(stack->items[i - 1].path, path) == 0) {
                        stack->items[i - 1].tested = false;
                        stack->n = i;
                        return;
                }
        stack->n -= stack->n > 0;
        push(stack, path, false);
}

static bool is_verb(const HistoryEntry *entry, RequestVerb verb) {
        return strcmp(entry->verb, request_verb_to_string(verb)) == 0;
}

/* Whether the system it went to ran when it was over. */
static bool has_arrived(const HistoryEntry *entry) {
        return (entry->exit_code == 0 || entry->exit_code == 4) && !is_verb(entry, REQUEST_BOOT);
}

static void replay(Stack *stack, const HistoryEntry *entry) {
        if (*entry->from)
                see(stack, entry->from);
        if (!has_arrived(entry))
                return;
        if (is_verb(entry, REQUEST_ROLLBACK))
                go_back(stack, entry->to);
        else
                push(stack, entry->to, is_verb(entry, REQUEST_TEST));
}

/* Whether the newest switch to it has found it bad, or was taken back from it. */
static bool has_failed(const History *history, const char *path) {
        for (size_t i = history->n; i > 0; i--) {
                const HistoryEntry *entry = &history->entries[i - 1];

                if (strcmp(entry->to, path) != 0 || is_verb(entry, REQUEST_BOOT))
                        continue;
                if (entry->exit_code == 0)
                        return false;
                if (entry->exit_code >= 3 && entry->exit_code <= 5)
                        return true;
        }
        return false;
}

static const char *find_in_stack(const Stack *stack, const History *history, const char *running,
                                 WayBack *way) {
        for (size_t i = stack->n; i > 0; i--) {
                const char *path = stack->items[i - 1].path;

                if (strcmp(path, running) == 0)
                        continue;
                if (!has_failed(history, path))
                        return path;
                way->failed = way->failed ? way->failed : path;
        }
        return NULL;
}

/* Whether a rollback came from there to what runs. */
static bool was_left(const History *history, const char *path, const char *running) {
        for (size_t i = 0; running && i < history->n; i++) {
                const HistoryEntry *entry = &history->entries[i];

                if (entry->exit_code == 0 && is_verb(entry, REQUEST_ROLLBACK) &&
                    strcmp(entry->from, path) == 0 && strcmp(entry->to, running) == 0)
                        return true;
        }
        return false;
}

static void find_generation(const GenerationList *list, const History *history, const char *running,
                            WayBack *way) {
        const Generation *before = NULL;
        const char *failed = NULL;

        for (size_t i = 0; i < list->n; i++) {
                const Generation *g = &list->items[i];

                if (g->current) {
                        way->toplevel = before ? before->target : NULL;
                        way->generation = before ? before->number : 0;
                        way->failed = way->failed ? way->failed : failed;
                        return;
                }
                if (was_left(history, g->target, running))
                        continue;
                if (has_failed(history, g->target))
                        failed = g->target;
                else
                        before = g;
        }
}

/**
 * way_back_find() - where a rollback without a number leads
 * @running: the toplevel that runs; may be NULL
 * @ret:     its texts are owned by @list or @history
 *
 * The system that ran before, by its recorded path; where the history knows none, the generation
 * before the current one. One that has failed when it was last switched to is passed over.
 *
 * Return: 0 or -ENOMEM.
 */
int way_back_find(const GenerationList *list, const History *history, const char *running,
                  WayBack *ret) {
        _cleanup_free_ Ran *items = calloc(2 * history->n + 1, sizeof(*items));
        Stack stack = { .items = items };
        WayBack way = { 0 };

        if (!items)
                return -ENOMEM;
        for (size_t i = 0; i < history->n; i++)
                replay(&stack, &history->entries[i]);
        if (running) {
                see(&stack, running);
                way.toplevel = find_in_stack(&stack, history, running, &way);
        }
        if (!way.toplevel)
                find_generation(list, history, running, &way);
        *ret = way;
        return 0;
}
