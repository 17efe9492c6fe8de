/*
 * Facts about units, asked of the manager. All questions are asked before the first answer is
 * waited for: one after the other they would take most of the time of a judgement.
 */
#include <errno.h>
#include <string.h>

#include "text.h"
#include "unit-facts.h"

#define QUESTIONS_AT_ONCE 1024U

typedef struct Property {
        const char *name;
        UnitFactsDepth depth;
        bool of_type; /* of the interface of the unit's type, and not of all units */
        int (*take)(UnitFacts *facts, sd_bus_message *reply);
} Property;

typedef struct Asked Asked;

/* One question, until it is answered. */
typedef struct Question {
        Asked *asked;
        const Property *property;
        UnitFacts *facts;
} Question;

struct Asked {
        sd_bus *bus;
        sd_bus_slot **slots;
        Question *questions;
        size_t n, n_pending;
        int error;
};

static int take_text(sd_bus_message *reply, char **text) {
        const char *value;
        int r;

        r = sd_bus_message_read(reply, "v", "s", &value);
        return r < 0 ? 0 : text_replace(text, value);
}

static int take_texts(sd_bus_message *reply, StringList *list) {
        const char *value;
        int r = 0;

        if (sd_bus_message_enter_container(reply, 'v', "as") <= 0 ||
            sd_bus_message_enter_container(reply, 'a', "s") <= 0)
                return 0;
        while (r >= 0 && sd_bus_message_read(reply, "s", &value) > 0)
                r = string_list_add(list, value);
        return r;
}

static int take_usec(sd_bus_message *reply, uint64_t *usec) {
        uint64_t value;

        if (sd_bus_message_read(reply, "v", "t", &value) > 0)
                *usec = value;
        return 0;
}

static int take_load(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->load);
}

static int take_active(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->active);
}

static int take_sub(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->sub);
}

static int take_result(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->result);
}

static int take_type(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->type);
}

static int take_restart(UnitFacts *facts, sd_bus_message *reply) {
        return take_text(reply, &facts->restart);
}

static int take_restarts(UnitFacts *facts, sd_bus_message *reply) {
        uint32_t value;

        if (sd_bus_message_read(reply, "v", "u", &value) > 0)
                facts->restarts = value;
        return 0;
}

static int take_invocation(UnitFacts *facts, sd_bus_message *reply) {
        const void *bytes;
        size_t n;

        if (sd_bus_message_enter_container(reply, 'v', "ay") > 0 &&
            sd_bus_message_read_array(reply, 'y', &bytes, &n) > 0 && n == sizeof(facts->invocation))
                memcpy(&facts->invocation, bytes, n);
        return 0;
}

static int take_condition(UnitFacts *facts, sd_bus_message *reply) {
        int value;

        if (sd_bus_message_read(reply, "v", "b", &value) > 0)
                facts->condition_met = value;
        return 0;
}

static int take_condition_usec(UnitFacts *facts, sd_bus_message *reply) {
        return take_usec(reply, &facts->condition_usec);
}

static int take_active_usec(UnitFacts *facts, sd_bus_message *reply) {
        return take_usec(reply, &facts->active_usec);
}

static int take_start_usec(UnitFacts *facts, sd_bus_message *reply) {
        return take_usec(reply, &facts->start_usec);
}

static int take_start_limit(UnitFacts *facts, sd_bus_message *reply) {
        return take_usec(reply, &facts->start_limit_usec);
}

static int take_job(UnitFacts *facts, sd_bus_message *reply) {
        uint32_t id;

        if (sd_bus_message_read(reply, "v", "(uo)", &id, NULL) > 0)
                facts->has_job = id > 0;
        return 0;
}

static int take_triggers(UnitFacts *facts, sd_bus_message *reply) {
        return take_texts(reply, &facts->triggers);
}

static int take_wanted_by(UnitFacts *facts, sd_bus_message *reply) {
        return take_texts(reply, &facts->wanted_by);
}

/* The first three in this order, and answered so: where a restart is counted but has no job any
 * more, the state that comes after shows that it has been done. */
/* clang-format off */
static const Property properties[] = {
        { "NRestarts",                       UNIT_FACTS_RESTARTS, true,  take_restarts },
        { "Job",                             UNIT_FACTS_RUN,      false, take_job },
        { "ActiveState",                     UNIT_FACTS_RUN,      false, take_active },
        { "SubState",                        UNIT_FACTS_RUN,      false, take_sub },
        { "Type",                            UNIT_FACTS_RUN,      true,  take_type },
        { "Restart",                         UNIT_FACTS_RUN,      true,  take_restart },
        { "InvocationID",                    UNIT_FACTS_RUN,      false, take_invocation },
        { "ActiveEnterTimestampMonotonic",   UNIT_FACTS_RUN,      false, take_active_usec },
        { "LoadState",                       UNIT_FACTS_ALL,      false, take_load },
        { "Result",                          UNIT_FACTS_ALL,      true,  take_result },
        { "ConditionResult",                 UNIT_FACTS_ALL,      false, take_condition },
        { "ConditionTimestampMonotonic",     UNIT_FACTS_ALL,      false, take_condition_usec },
        { "InactiveExitTimestampMonotonic",  UNIT_FACTS_ALL,      false, take_start_usec },
        { "TimeoutStartUSec",                UNIT_FACTS_ALL,      true,  take_start_limit },
        { "TimeoutUSec",                     UNIT_FACTS_ALL,      true,  take_start_limit },
        { "TriggeredBy",                     UNIT_FACTS_ALL,      false, take_triggers },
        { "WantedBy",                        UNIT_FACTS_ALL,      false, take_wanted_by },
        { "RequiredBy",                      UNIT_FACTS_ALL,      false, take_wanted_by },
        { "UpheldBy",                        UNIT_FACTS_ALL,      false, take_wanted_by },
};
/* clang-format on */

static void asked_done(Asked *asked) {
        for (size_t i = 0; i < asked->n; i++)
                sd_bus_slot_unref(asked->slots[i]);
        free(asked->slots);
        free(asked->questions);
}

static int on_answer(sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Question *question = userdata;
        Asked *asked = question->asked;
        int r;

        asked->n_pending--;
        if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NO_REPLY)) {
                asked->error = -ECONNRESET;
                return 0;
        }
        /* A type that has no such property, or a unit that has just gone. */
        if (sd_bus_message_is_method_error(reply, NULL))
                return 0;
        r = question->property->take(question->facts, reply);
        if (r < 0)
                asked->error = r;
        return 0;
}

/* Waits until at most @n_left are not answered; each call has a limit of its own. */
static int wait_for_answers(Asked *asked, size_t n_left) {
        while (asked->n_pending > n_left && asked->error >= 0) {
                int r = sd_bus_process(asked->bus, NULL);

                if (r == 0)
                        r = sd_bus_wait(asked->bus, UINT64_MAX);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return asked->error;
}

static int ask(Asked *asked, const char *object, const char *interface, const Property *property,
               UnitFacts *facts) {
        Question *question = &asked->questions[asked->n];
        int r;

        *question = (Question){ .asked = asked, .property = property, .facts = facts };
        r = sd_bus_call_method_async(asked->bus, &asked->slots[asked->n], SYSTEMD_NAME, object,
                                     "org.freedesktop.DBus.Properties", "Get", on_answer, question,
                                     "ss", interface, property->name);
        if (r < 0)
                return r;
        asked->n++;
        asked->n_pending++;
        return wait_for_answers(asked, QUESTIONS_AT_ONCE);
}

static int ask_all(Asked *asked, UnitFacts *facts, UnitFactsDepth depth) {
        _cleanup_free_ char *object = NULL, *interface = NULL;
        int r;

        r = sd_bus_path_encode(SYSTEMD_PATH "/unit", facts->id, &object);
        if (r >= 0)
                r = manager_interface_of(facts->id, &interface);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(properties); i++) {
                const Property *property = &properties[i];

                if (property->depth <= depth)
                        r = ask(asked, object, property->of_type ? interface : SYSTEMD_UNIT,
                                property, facts);
        }
        return r;
}

static int facts_init(UnitFacts *facts, const char *id) {
        char **const texts[] = { &facts->load,   &facts->active, &facts->sub,
                                 &facts->result, &facts->type,   &facts->restart };

        *facts = (UnitFacts){ .condition_met = true, .start_limit_usec = UINT64_MAX };
        facts->id = strdup(id);
        if (!facts->id)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                *texts[i] = strdup("");
                if (!*texts[i])
                        return -ENOMEM;
        }
        return 0;
}

static void facts_done(UnitFacts *facts) {
        free(facts->id);
        free(facts->load);
        free(facts->active);
        free(facts->sub);
        free(facts->result);
        free(facts->type);
        free(facts->restart);
        string_list_done(&facts->triggers);
        string_list_done(&facts->wanted_by);
}

static int compare(const void *a, const void *b) {
        return strcmp(((const UnitFacts *) a)->id, ((const UnitFacts *) b)->id);
}

/**
 * unit_facts_read() - ask the manager about some units
 * @units: in order and each once, as string_list_sort_unique() leaves them
 * @list:  all zero before; unit_facts_list_done() even after an error
 *
 * What a type of unit does not know stays empty. A unit that is not loaded is loaded for this.
 *
 * Return: 0, -ENOMEM, or an error of the connection.
 */
int unit_facts_read(Manager *manager, const StringList *units, UnitFactsDepth depth,
                    UnitFactsList *list) {
        _cleanup_(asked_done) Asked asked = { .bus = manager_bus(manager) };
        size_t n_questions = units->n * ELEMENTSOF(properties);
        int r = 0;

        list->items = calloc(units->n + 1, sizeof(*list->items));
        asked.questions = calloc(n_questions + 1, sizeof(*asked.questions));
        asked.slots = calloc(n_questions + 1, sizeof(*asked.slots));
        if (!list->items || !asked.questions || !asked.slots)
                return -ENOMEM;

        for (size_t i = 0; r >= 0 && i < units->n; i++) {
                list->n++;
                r = facts_init(&list->items[i], units->items[i]);
                if (r >= 0)
                        r = ask_all(&asked, &list->items[i], depth);
        }
        return r < 0 ? r : wait_for_answers(&asked, 0);
}

/** unit_facts_find() - those of the unit of that id, or NULL. */
const UnitFacts *unit_facts_find(const UnitFactsList *list, const char *id) {
        const UnitFacts wanted = { .id = (char *) id };

        if (list->n == 0)
                return NULL;
        return bsearch(&wanted, list->items, list->n, sizeof(wanted), compare);
}

void unit_facts_list_done(UnitFactsList *list) {
        for (size_t i = 0; i < list->n; i++)
                facts_done(&list->items[i]);
        free(list->items);
        *list = (UnitFactsList){ 0 };
}
