#pragma once

#include <systemd/sd-bus.h>

#include "boot-menu.h"
#include "profile.h"

/* All generations of all system profiles, with what they tell a boot loader. */
typedef struct BootSystems {
        MenuSystem *items;
        Bootspec *specs; /* beside them */
        size_t n;
        StringList profiles; /* other than "system" */
        GenerationList *lists;
        size_t n_lists;
        StringList problems; /* why the systems without a spec have none, each a sentence */
} BootSystems;

int boot_systems_read(const char *profiles, BootSystems *systems, sd_bus_error *reterr_error);
void boot_systems_protect(BootSystems *systems, const char *toplevel);
const MenuSystem *boot_systems_find(const BootSystems *systems, const char *toplevel,
                                    const Bootspec **ret_spec);
void boot_systems_done(BootSystems *systems);
