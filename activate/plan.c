/*
 * The plan: what a switch does with each unit, and why. It is a pure function of what was loaded,
 * so each rule can be tried with files alone. The rules themselves are in plan-unit.c, plan-fstab.c
 * and plan-listed.c; here is what they write into.
 */
#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan-build.h"
#include "plan.h"
#include "text.h"

/* clang-format off */
static const char *const action_names[_PLAN_ACTION_MAX] = {
        [PLAN_STOP]    = "stop",
        [PLAN_SKIP]    = "skip",
        [PLAN_RELOAD]  = "reload",
        [PLAN_RESTART] = "restart",
        [PLAN_START]   = "start",
};
/* clang-format on */

/** plan_action_to_string() - its name in JSON, and that of the job. */
const char *plan_action_to_string(PlanAction action) {
        assert(action < _PLAN_ACTION_MAX);
        return action_names[action];
}

/** plan_reason_done() - empty a reason. */
void plan_reason_done(PlanReason *reason) {
        free(reason->file);
        free(reason->section);
        free(reason->key);
        string_list_done(&reason->old);
        string_list_done(&reason->new);
        *reason = (PlanReason){ 0 };
}

static void entry_done(PlanEntry *entry) {
        for (size_t i = 0; i < entry->n_why; i++)
                plan_reason_done(&entry->why[i]);
        free(entry->why);
        free(entry->unit);
}

static int list_add(PlanList *list, const char *unit, PlanEntry **ret_entry) {
        PlanEntry *entry;

        if (list->n == list->allocated) {
                size_t allocated = list->allocated ? 2 * list->allocated : 16;

                entry = reallocarray(list->entries, allocated, sizeof(*entry));
                if (!entry)
                        return -ENOMEM;
                list->entries = entry;
                list->allocated = allocated;
        }

        entry = &list->entries[list->n];
        *entry = (PlanEntry){ .unit = strdup(unit) };
        if (!entry->unit)
                return -ENOMEM;
        list->n++;
        *ret_entry = entry;
        return 0;
}

/* Takes what @reason holds, also if there is no memory for it. */
static int entry_take_reason(PlanEntry *entry, PlanReason *reason) {
        /* Grows at each power of two. */
        if ((entry->n_why & (entry->n_why - 1)) == 0) {
                size_t wanted = entry->n_why ? 2 * entry->n_why : 1;
                PlanReason *why = reallocarray(entry->why, wanted, sizeof(*why));

                if (!why) {
                        plan_reason_done(reason);
                        return -ENOMEM;
                }
                entry->why = why;
        }
        entry->why[entry->n_why++] = TAKE_GENERIC(*reason, (PlanReason){ 0 });
        return 0;
}

static int entry_add_rule(PlanEntry *entry, PlanRule rule) {
        PlanReason reason = { .rule = rule };

        return rule == PLAN_RULE_NONE ? 0 : entry_take_reason(entry, &reason);
}

static int entry_add_difference(PlanEntry *entry, const char *base, const UnitDifference *d) {
        const UnitKey *known = d->new ? d->new : d->old;
        PlanReason reason = { 0 };
        int r = 0;

        if (!d->section)
                return entry_add_rule(entry, PLAN_RULE_BYTES);

        reason.file = strdup(known ? known->file : base);
        reason.section = strdup(d->section);
        reason.key = d->key ? strdup(d->key) : NULL;
        if (!reason.file || !reason.section || (d->key && !reason.key))
                r = -ENOMEM;
        if (r >= 0 && d->old)
                r = string_list_copy(&reason.old, &d->old->values);
        if (r >= 0 && d->new)
                r = string_list_copy(&reason.new, &d->new->values);
        if (r >= 0)
                return entry_take_reason(entry, &reason);

        plan_reason_done(&reason);
        return r;
}

static int add_decision(PlanBuild *build, PlanAction action, const char *unit,
                        PlanEntry **ret_entry) {
        int r;

        r = list_add(&build->lists[action], unit, ret_entry);
        if (r < 0)
                return r;
        (*ret_entry)->late = build->late;
        return 0;
}

/**
 * plan_decide() - put a unit on a list, with all that led there
 * @cause: may be NULL
 * @rule:  the last word on it, or PLAN_RULE_NONE
 *
 * Return: 0 or -ENOMEM.
 */
int plan_decide(PlanBuild *build, PlanAction action, const char *unit, const PlanCause *cause,
                PlanRule rule) {
        const UnitDiff *diff = cause ? cause->diff : NULL;
        PlanEntry *entry;
        int r;

        r = add_decision(build, action, unit, &entry);
        for (size_t i = 0; r >= 0 && diff && i < diff->n_differences && i < PLAN_REASONS_MAX; i++)
                r = entry_add_difference(entry, cause->pair->new.base, &diff->differences[i]);
        if (r >= 0 && cause)
                r = entry_add_rule(entry, cause->rule);
        if (r >= 0)
                r = entry_add_rule(entry, rule);
        return r;
}

/**
 * plan_decide_because() - the same for one reason made elsewhere
 * @reason: taken, also on failure
 */
int plan_decide_because(PlanBuild *build, PlanAction action, const char *unit, PlanReason *reason) {
        PlanEntry *entry;
        int r;

        r = add_decision(build, action, unit, &entry);
        if (r >= 0)
                return entry_take_reason(entry, reason);
        plan_reason_done(reason);
        return r;
}

/** plan_note() - something that people should know and that changes nothing; 0 or -ENOMEM. */
int plan_note(PlanBuild *build, const char *format, ...) {
        char *note;
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(&note, format, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : string_list_take(&build->plan->notes, note);
}

static int compare_entries(const void *a, const void *b) {
        return strcmp(((const PlanEntry *) a)->unit, ((const PlanEntry *) b)->unit);
}

static PlanEntry *find_entry(const PlanList *list, const char *unit) {
        const PlanEntry wanted = { .unit = (char *) unit };

        return list->n == 0 ?
                       NULL :
                       bsearch(&wanted, list->entries, list->n, sizeof(wanted), compare_entries);
}

static int compare_reasons(const void *a, const void *b) {
        const PlanReason *x = a, *y = b;
        int r;

        if (x->rule != y->rule || x->rule != PLAN_RULE_NONE || !x->file || !y->file)
                return x->rule < y->rule ? -1 : x->rule > y->rule;
        r = strcmp(x->file, y->file);
        if (r == 0)
                r = strcmp(x->section, y->section);
        if (r == 0)
                r = strcmp(x->key ? x->key : "", y->key ? y->key : "");
        return r;
}

/* Keys first, then rules, each once, whatever the order in which they were found. */
static void entry_settle(PlanEntry *entry) {
        size_t n = 0;

        if (entry->n_why > 1)
                qsort(entry->why, entry->n_why, sizeof(*entry->why), compare_reasons);
        for (size_t i = 0; i < entry->n_why; i++) {
                if (n > 0 && compare_reasons(&entry->why[n - 1], &entry->why[i]) == 0)
                        plan_reason_done(&entry->why[i]);
                else
                        entry->why[n++] = entry->why[i];
        }
        entry->n_why = n;
}

/* Two decisions that agree become one with the reasons of both. */
static void entry_merge(PlanEntry *entry, PlanEntry *other) {
        for (size_t i = 0; i < other->n_why; i++)
                if (entry_take_reason(entry, &other->why[i]) < 0)
                        break; /* a reason less, for want of memory */
        entry->late = entry->late && other->late;
        entry_done(other);
}

static void list_settle(PlanList *list) {
        size_t n = 0;

        if (list->n > 1)
                qsort(list->entries, list->n, sizeof(*list->entries), compare_entries);
        for (size_t i = 0; i < list->n; i++) {
                if (n > 0 && strcmp(list->entries[n - 1].unit, list->entries[i].unit) == 0)
                        entry_merge(&list->entries[n - 1], &list->entries[i]);
                else
                        list->entries[n++] = list->entries[i];
        }
        list->n = n;
        for (size_t i = 0; i < n; i++)
                entry_settle(&list->entries[i]);
}

static void list_done(PlanList *list) {
        for (size_t i = 0; i < list->n; i++)
                entry_done(&list->entries[i]);
        free(list->entries);
        *list = (PlanList){ 0 };
}

/**
 * plan_take_lists() - append entries to a plan's lists; call plan_settle() then
 * @lists: emptied
 *
 * Return: 0 or -ENOMEM.
 */
int plan_take_lists(Plan *plan, PlanList lists[static _PLAN_ACTION_MAX]) {
        int r = 0;

        for (int action = 0; action < _PLAN_ACTION_MAX; action++) {
                PlanList *list = &plan->lists[action], *more = &lists[action];
                size_t n = list->n + more->n;
                PlanEntry *entries = list->entries;

                if (r >= 0 && more->n > 0) {
                        entries = reallocarray(list->entries, n, sizeof(*entries));
                        if (entries) {
                                memcpy(entries + list->n, more->entries,
                                       more->n * sizeof(*entries));
                                *list = (PlanList){ .entries = entries, .n = n, .allocated = n };
                                more->n = 0;
                        } else
                                r = -ENOMEM;
                }
                list_done(more);
        }
        return r;
}

/** plan_forget() - take a unit off a list, if it is on it. */
void plan_forget(Plan *plan, PlanAction action, const char *unit) {
        PlanList *list = &plan->lists[action];
        PlanEntry *entry = find_entry(list, unit);

        if (!entry)
                return;
        entry_done(entry);
        list->n--;
        memmove(entry, entry + 1, (size_t) (list->entries + list->n - entry) * sizeof(*entry));
}

static bool is_on(const Plan *plan, PlanAction action, const char *unit) {
        return find_entry(&plan->lists[action], unit);
}

static bool overruled(const Plan *plan, PlanAction action, const char *unit) {
        switch (action) {
        case PLAN_SKIP:
        case PLAN_RELOAD:
                return is_on(plan, PLAN_STOP, unit) || is_on(plan, PLAN_RESTART, unit);
        case PLAN_RESTART:
                return is_on(plan, PLAN_STOP, unit) && is_on(plan, PLAN_START, unit);
        case PLAN_START:
                return !is_on(plan, PLAN_STOP, unit) && is_on(plan, PLAN_RESTART, unit);
        case PLAN_STOP:
        case _PLAN_ACTION_MAX:
                break;
        }
        return false;
}

/* What is stopped and started, or restarted, needs nothing else; the stronger decision stays. */
static void resolve(Plan *plan, PlanAction action) {
        PlanList *list = &plan->lists[action];
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++) {
                if (overruled(plan, action, list->entries[i].unit))
                        entry_done(&list->entries[i]);
                else
                        list->entries[n++] = list->entries[i];
        }
        list->n = n;
}

static bool is_asked_for(const PlanEntry *entry) {
        for (size_t i = 0; i < entry->n_why; i++)
                if (entry->why[i].rule == PLAN_RULE_RESTART_LIST)
                        return true;
        return false;
}

/* Targets that are started again each time are noise, and so is their being stopped before. */
static void hide_targets(Plan *plan) {
        PlanList *starts = &plan->lists[PLAN_START];

        for (size_t i = 0; i < starts->n; i++) {
                PlanEntry *start = &starts->entries[i], *stop;

                if (!text_has_suffix(start->unit, ".target") || is_asked_for(start))
                        continue;
                start->hidden = true;
                stop = find_entry(&plan->lists[PLAN_STOP], start->unit);
                if (stop)
                        stop->hidden = true;
        }
}

/** plan_settle() - bring the lists into order and let each unit have one fate. */
void plan_settle(Plan *plan) {
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                list_settle(&plan->lists[action]);

        resolve(plan, PLAN_RESTART);
        resolve(plan, PLAN_SKIP);
        resolve(plan, PLAN_RELOAD);
        resolve(plan, PLAN_START);
        hide_targets(plan);

        string_list_sort_unique(&plan->notes);
        string_list_sort_unique(&plan->swapoff);
        string_list_sort_unique(&plan->hold);
}

static void hash_text(crypto_hash_sha256_state *state, const char *text) {
        (void) crypto_hash_sha256_update(state, (const unsigned char *) text, strlen(text) + 1);
}

static void hash_names(crypto_hash_sha256_state *state, const char *what, const StringList *names) {
        hash_text(state, what);
        for (size_t i = 0; i < names->n; i++)
                hash_text(state, names->items[i]);
}

/* Which targets are up in a user's session is no decision of ours. */
static void hash_lists(crypto_hash_sha256_state *state, const Plan *plan) {
        for (int action = 0; action < _PLAN_ACTION_MAX; action++) {
                const PlanList *list = &plan->lists[action];

                hash_text(state, action_names[action]);
                for (size_t i = 0; i < list->n; i++)
                        if (!plan->user || !list->entries[i].hidden)
                                hash_text(state, list->entries[i].unit);
        }
        for (size_t i = 0; i < plan->migrate.n; i++)
                hash_text(state, plan->migrate.items[i]);
        /* Without a restart to come before they are started when their targets are. */
        if (plan->lists[PLAN_RESTART].n > 0)
                hash_names(state, "sockets", &plan->sockets);
}

/**
 * plan_make_digest() - name what is decided
 *
 * Not the reasons: a better wording is no other plan.
 *
 * Return: 0, or -EIO if there is no way to compute it.
 */
int plan_make_digest(Plan *plan) {
        unsigned char hash[crypto_hash_sha256_BYTES];
        crypto_hash_sha256_state state;

        if (sodium_init() < 0)
                return -EIO;

        (void) crypto_hash_sha256_init(&state);
        hash_text(&state, plan->from);
        hash_text(&state, plan->to);
        hash_text(&state, plan->reexec ? "reexec" : "");
        for (size_t i = 0; i < plan->swapoff.n; i++)
                hash_text(&state, plan->swapoff.items[i]);
        hash_names(&state, "hold", &plan->hold);
        hash_lists(&state, plan);
        for (size_t i = 0; i < plan->n_users; i++) {
                if (plan_is_empty(plan->users[i]))
                        continue; /* somebody logs in or out, and nothing happens to them */
                hash_text(&state, plan->users[i]->user);
                hash_lists(&state, plan->users[i]);
        }
        (void) crypto_hash_sha256_final(&state, hash);
        (void) sodium_bin2hex(plan->digest, sizeof(plan->digest), hash, sizeof(hash));
        return 0;
}

/* When all else is known: whether a service is stopped anyway decides what its new socket needs. */
static int build_wanted_sockets(Plan *plan, const PlanInput *input) {
        PlanList added[_PLAN_ACTION_MAX] = { 0 };
        PlanBuild build = { .plan = plan, .lists = added, .input = input };
        int r = 0, s;

        for (size_t i = 0; r >= 0 && i < input->n_wanted_sockets; i++)
                r = plan_build_wanted_socket(&build, &input->wanted_sockets[i]);
        s = plan_take_lists(plan, added);
        plan_settle(plan);
        return r < 0 ? r : s;
}

static int plan_begin(const PlanInput *input, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = calloc(1, sizeof(*plan));

        if (!plan)
                return -ENOMEM;
        plan->from = strdup(input->from);
        plan->to = strdup(input->to);
        if (!plan->from || !plan->to)
                return -ENOMEM;
        if (input->user) {
                plan->uid = input->uid;
                plan->user = strdup(input->user);
                if (!plan->user)
                        return -ENOMEM;
        }
        plan->reexec = input->reexec;

        *ret = TAKE_PTR(plan);
        return 0;
}

/**
 * plan_new() - decide what a switch does
 * @input: loaded beforehand; nothing else is looked at
 * @ret:   owned by the caller; lists in order of unit names
 *
 * Source: the decisions of NixOS' switch-to-configuration for active units.
 *
 * Return: 0, -ENOMEM, or -EIO if the digest cannot be made.
 */
int plan_new(const PlanInput *input, Plan **ret) {
        _cleanup_(plan_freep) Plan *plan = NULL;
        PlanBuild build = { .input = input };
        int r;

        r = plan_begin(input, &plan);
        if (r < 0)
                return r;
        build.plan = plan;
        build.lists = plan->lists;

        for (size_t i = 0; r >= 0 && i < input->n_pairs; i++) {
                r = plan_build_unit(&build, &input->pairs[i]);
                if (r >= 0)
                        r = string_list_copy(&plan->notes, &input->pairs[i].notes);
        }
        if (r >= 0 && input->old_fstab && input->new_fstab)
                r = plan_build_fstab(&build);
        if (r >= 0 && input->leftovers)
                r = plan_build_leftovers(&build, input->leftovers);
        if (r >= 0 && input->migrate)
                r = string_list_copy(&plan->migrate, input->migrate);
        if (r < 0)
                return r;

        plan_settle(plan);
        r = plan_build_names(plan, input);
        if (r >= 0 && input->n_wanted_sockets > 0)
                r = build_wanted_sockets(plan, input);
        if (r >= 0)
                r = plan_make_digest(plan);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(plan);
        return 0;
}

static int compare_users(const void *a, const void *b) {
        const Plan *x = *(Plan *const *) a, *y = *(Plan *const *) b;

        return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/**
 * plan_add_user() - make the plan for a user's manager part of the system's
 * @user: owned by @plan from now on, also on failure
 *
 * Return: 0, -ENOMEM, or -EIO if the digest cannot be made.
 */
int plan_add_user(Plan *plan, Plan *user) {
        Plan **users = reallocarray(plan->users, plan->n_users + 1, sizeof(Plan *));

        assert(!plan->user && user->user);

        if (!users) {
                plan_free(user);
                return -ENOMEM;
        }
        plan->users = users;
        users[plan->n_users++] = user;
        qsort(users, plan->n_users, sizeof(Plan *), compare_users);
        return plan_make_digest(plan);
}

/** plan_is_empty() - whether nothing is touched but targets that are started again each time. */
bool plan_is_empty(const Plan *plan) {
        if (plan->reexec || plan->swapoff.n > 0 || plan->migrate.n > 0)
                return false;
        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                for (size_t i = 0; i < plan->lists[action].n; i++)
                        if (!plan->lists[action].entries[i].hidden)
                                return false;
        for (size_t i = 0; i < plan->n_users; i++)
                if (!plan_is_empty(plan->users[i]))
                        return false;
        return true;
}

/** plan_find() - what is decided for a unit, or NULL. */
const PlanEntry *plan_find(const Plan *plan, PlanAction action, const char *unit) {
        return find_entry(&plan->lists[action], unit);
}

Plan *plan_free(Plan *plan) {
        if (!plan)
                return NULL;

        for (int action = 0; action < _PLAN_ACTION_MAX; action++)
                list_done(&plan->lists[action]);
        for (size_t i = 0; i < plan->n_users; i++)
                plan_free(plan->users[i]);
        free(plan->users);
        string_list_done(&plan->swapoff);
        string_list_done(&plan->sockets);
        string_list_done(&plan->migrate);
        string_list_done(&plan->renamed);
        string_list_done(&plan->heirs);
        string_list_done(&plan->hold);
        string_list_done(&plan->notes);
        free(plan->from);
        free(plan->to);
        free(plan->user);
        free(plan);
        return NULL;
}

void plan_leftovers_done(PlanLeftovers *leftovers) {
        string_list_done(&leftovers->start);
        string_list_done(&leftovers->restart);
        string_list_done(&leftovers->reload);
}
