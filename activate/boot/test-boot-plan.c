/*
 * From menu to menu. A partition is a list of texts here: what a plan does to it is played through,
 * and after every step each entry has all of its files.
 */
#include "boot-plan.h"
#include "test.h"
#include "text.h"

#define KERNEL(n)   "/nix/store/" n "-linux/bzImage"
#define INITRD(n)   "/nix/store/" n "-initrd/initrd"
#define TOP(n)      "/nix/store/" n "-nixos-system-web"
#define SYSTEMS_MAX 8U
#define MIB         ((uint64_t) 1024 * 1024)

typedef struct World {
        Bootspec specs[SYSTEMS_MAX];
        MenuSystem systems[SYSTEMS_MAX];
        MenuWish wish;
        BootListing listing;
        BootRoom room;
        BootMenu menu;
        BootPlan plan;
} World;

static char *copy(const char *text) {
        char *twin = strdup(text);

        assert_non_null(twin);
        return twin;
}

static void fill_spec(Bootspec *spec, const char *name, const char *kernel, const char *initrd) {
        *spec = (Bootspec){ .label = copy("NixOS 25.05"),
                            .kernel = copy(kernel),
                            .initrd = copy(initrd),
                            .sort_key = copy("nixos") };
        ASSERT_OK(text_printf(&spec->toplevel, "/nix/store/%s-nixos-system-web", name));
        ASSERT_OK(text_printf(&spec->init, "%s/init", spec->toplevel));
        ASSERT_OK(string_list_add(&spec->kernel_params, "quiet"));
}

/* Each file of the store has its own bytes, and 10 MiB of them. */
static void add_source(World *world, const char *key) {
        BootSource source = { .key = copy(key) };

        if (boot_sources_find(&world->wish.sources, key)) {
                free(source.key);
                return;
        }
        digest_of_bytes(key, strlen(key), &source.digest);
        source.digest.size = 10 * MIB;
        ASSERT_OK(boot_sources_take(&world->wish.sources, &source));
}

static MenuSystem *add_system(World *world, const char *name, const char *kernel,
                              const char *initrd) {
        size_t i = world->wish.n_systems++;

        fill_spec(&world->specs[i], name, kernel, initrd);
        add_source(world, kernel);
        add_source(world, initrd);
        world->systems[i] = (MenuSystem){ .number = i + 1,
                                          .created = (time_t) (1000000 + i * 86400),
                                          .toplevel = world->specs[i].toplevel,
                                          .spec = &world->specs[i] };
        world->wish.systems = world->systems;
        return &world->systems[i];
}

static void world_init(World *world) {
        *world = (World){ 0 };
        world->room = (BootRoom){ 4096, 1000 * MIB, 1000 * MIB };
        world->wish.distribution = "NixOS";
        world->wish.machine_id = "0123";
        ASSERT_OK(loader_version_parse("systemd-boot 252", &world->wish.version));
}

static void world_done(World *world) {
        for (size_t i = 0; i < SYSTEMS_MAX; i++)
                bootspec_done(&world->specs[i]);
        boot_sources_done(&world->wish.sources);
        boot_listing_done(&world->listing);
        boot_plan_done(&world->plan);
        boot_menu_done(&world->menu);
        loader_version_done(&world->wish.version);
}

static void put_payload(World *world, const char *path, uint64_t size) {
        BootListing *listing = &world->listing;

        listing->payloads = reallocarray(listing->payloads, listing->n_payloads + 1,
                                         sizeof(*listing->payloads));
        assert_non_null(listing->payloads);
        listing->payloads[listing->n_payloads++] =
                (PayloadFile){ .path = copy(path), .size = size, .verified = true };
}

static void put_entry(World *world, const char *file, const char *text) {
        BootListing *listing = &world->listing;
        MenuEntry *entry;
        _cleanup_free_ char *stem = NULL;

        listing->entries =
                reallocarray(listing->entries, listing->n_entries + 1, sizeof(*listing->entries));
        assert_non_null(listing->entries);
        entry = &listing->entries[listing->n_entries++];
        *entry = (MenuEntry){ .file = copy(file), .startable = true };
        ASSERT_OK(entry_name_parse(file, &entry->name));
        ASSERT_OK(loader_entry_parse(text, strlen(text), &entry->entry));
        ASSERT_OK(loader_entry_stem(text, entry->name.style == ENTRY_ENACT_EXTRA, &stem));
        entry->intact = !entry_name_is_ours(&entry->name) || strcmp(stem, entry->name.stem) == 0;
}

static size_t find_entry(const World *world, const char *file) {
        size_t i = 0;

        while (i < world->listing.n_entries && strcmp(world->listing.entries[i].file, file) != 0)
                i++;
        return i;
}

static void take_entry(World *world, const char *file) {
        BootListing *listing = &world->listing;
        size_t i = find_entry(world, file);

        assert_true(i < listing->n_entries);
        menu_entry_done(&listing->entries[i]);
        listing->entries[i] = listing->entries[--listing->n_entries];
}

static void take_payload(World *world, const char *path) {
        BootListing *listing = &world->listing;

        for (size_t i = 0; i < listing->n_payloads; i++)
                if (strcmp(listing->payloads[i].path, path) == 0) {
                        free(listing->payloads[i].path);
                        listing->payloads[i] = listing->payloads[--listing->n_payloads];
                        return;
                }
        fail_msg("no %s", path);
}

static void assert_file_there(const World *world, const char *file, const char *path) {
        _cleanup_free_ char *normal = NULL;

        ASSERT_OK(entry_path_normalise(path, &normal));
        if (!boot_listing_payload(&world->listing, normal))
                fail_msg("%s lacks %s", file, path);
}

/* What may be cut off here by the power must boot. */
static void assert_whole(const World *world) {
        for (size_t i = 0; i < world->listing.n_entries; i++) {
                const MenuEntry *entry = &world->listing.entries[i];

                if (entry->entry.kernel)
                        assert_file_there(world, entry->file, entry->entry.kernel);
                for (size_t j = 0; j < entry->entry.initrds.n; j++)
                        assert_file_there(world, entry->file, entry->entry.initrds.items[j]);
        }
}

static const char *name_of(const char *path) {
        return strrchr(path, '/') + 1;
}

static void play_step(World *world, const BootStep *step) {
        switch (step->kind) {
        case BOOT_STEP_WRITE_PAYLOAD:
                if (step->replaces)
                        take_payload(world, step->path);
                put_payload(world, step->path, step->source->digest.size);
                break;
        case BOOT_STEP_WRITE_ENTRY:
                if (step->replaces)
                        take_entry(world, name_of(step->path));
                put_entry(world, name_of(step->path), step->text);
                break;
        case BOOT_STEP_RENAME_ENTRY: {
                MenuEntry *entry = &world->listing.entries[find_entry(world, name_of(step->path))];

                free(entry->file);
                entry_name_done(&entry->name);
                entry->file = copy(step->text);
                ASSERT_OK(entry_name_parse(step->text, &entry->name));
                break;
        }
        case BOOT_STEP_SET_DEFAULT:
                if (!strchr(step->path, '*') && !loader_version_prefers(&world->wish.version))
                        assert_true(find_entry(world, step->path) < world->listing.n_entries);
                ASSERT_OK(loader_conf_set(&world->listing.conf, "default", step->path));
                break;
        case BOOT_STEP_REMOVE_ENTRY:
                take_entry(world, name_of(step->path));
                break;
        case BOOT_STEP_REMOVE_PAYLOAD:
                take_payload(world, step->path);
                break;
        case BOOT_STEP_REMOVE_LEFTOVER:
        case BOOT_STEP_BARRIER:
        case _BOOT_STEP_KIND_MAX:
                break;
        }
        assert_whole(world);
}

static void plan(World *world) {
        boot_plan_done(&world->plan);
        boot_menu_done(&world->menu);
        ASSERT_OK(boot_menu_build(&world->wish, &world->listing, &world->menu));
        ASSERT_OK(boot_plan_new(&world->wish, &world->listing, &world->menu, &world->room,
                                &world->plan));
}

static void play(World *world) {
        plan(world);
        ASSERT_TRUE(world->plan.fits);
        for (size_t i = 0; i < world->plan.n; i++)
                play_step(world, &world->plan.steps[i]);
}

/* "write-payload write-payload write-entry": without barriers. */
static void assert_kinds(const World *world, const char *wanted) {
        _cleanup_(string_list_done) StringList kinds = { 0 };
        _cleanup_free_ char *joined = NULL;

        for (size_t i = 0; i < world->plan.n; i++)
                if (world->plan.steps[i].kind != BOOT_STEP_BARRIER)
                        ASSERT_OK(string_list_add(&kinds, boot_step_kind_to_string(
                                                                  world->plan.steps[i].kind)));
        ASSERT_OK(string_list_join(&kinds, " ", &joined));
        ASSERT_TEXT(joined, wanted);
}

TEST(an_empty_partition_gets_files_before_entries_and_the_default_before_the_rest) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        add_system(&world, "b", KERNEL("a"), INITRD("b"));
        world.wish.default_toplevel = TOP("b");
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-payload write-entry set-default "
                             "write-entry");
        ASSERT_EQ(world.plan.needed_bytes, 3 * (10 * MIB + 4096) + 2 * 8192);

        play(&world); /* and nothing is left to do */
        assert_kinds(&world, "");
        ASSERT_EQ(world.plan.needed_bytes, 0);
}

TEST(an_entry_says_what_never_changes_in_one_init) {
        static const char wanted[] = "title NixOS\nsort-key nixos\nmachine-id 0123\n";
        _cleanup_(world_done) World world;
        _cleanup_free_ char *stem = NULL;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        plan(&world);
        ASSERT_CONTAINS(world.menu.entries[0].text, "#enact generation system 1 - 1970-01-12\n");
        ASSERT_CONTAINS(world.menu.entries[0].text,
                        "title NixOS\nsort-key nixos\n"
                        "version Generation 1 NixOS 25.05, built on 1970-01-12\n"
                        "machine-id 0123\nlinux /EFI/enact/");
        ASSERT_CONTAINS(world.menu.entries[0].text, "\noptions init=" TOP("a") "/init quiet\n");
        ASSERT_FALSE(strstr(world.menu.entries[0].text, wanted));
        stem = copy(world.menu.entries[0].stem);

        /* The link was made again: the entry that is there has recorded the first day. */
        play(&world);
        world.systems[0].created += 100 * 86400;
        plan(&world);
        ASSERT_TEXT(world.menu.entries[0].stem, stem);
        assert_kinds(&world, "");
}

TEST(specialisations_have_entries_of_their_own) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.specs[0].specialisations = calloc(1, sizeof(Bootspec));
        world.specs[0].n_specialisations = 1;
        fill_spec(&world.specs[0].specialisations[0], "q", KERNEL("a"), INITRD("a"));
        world.specs[0].specialisations[0].specialisation = copy("very quiet");
        world.wish.default_toplevel = TOP("a");
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-entry set-default write-entry");
        ASSERT_CONTAINS(world.menu.entries[1].text, "title NixOS (very quiet)\n");
        ASSERT_CONTAINS(world.menu.entries[1].text, "#enact generation system 1 =very+20quiet ");
        ASSERT_CONTAINS(world.menu.entries[1].text, "init=" TOP("q") "/init");
}

TEST(what_is_not_wanted_goes_after_what_is_entries_before_files) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        play(&world);
        world.wish.limit = 1;
        add_system(&world, "b", KERNEL("a"), INITRD("b"));
        world.wish.default_toplevel = TOP("b");
        play(&world);
        assert_kinds(&world, "write-payload write-entry set-default remove-entry remove-payload");
        ASSERT_EQ(world.listing.n_entries, 1);
        ASSERT_EQ(world.listing.n_payloads, 2);
}

TEST(a_default_that_is_there_is_set_before_a_new_entry_could_be_taken_for_it) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        play(&world);
        add_system(&world, "b", KERNEL("a"), INITRD("a"));
        world.wish.default_toplevel = TOP("a");
        world.wish.counted_toplevel = TOP("b");
        world.wish.tries = 3;
        play(&world);
        assert_kinds(&world, "set-default write-entry");
        ASSERT_TRUE(text_has_suffix(world.menu.entries[0].file, "+3-0.conf"));
        ASSERT_FALSE(strchr(world.menu.entries[1].file, '+'));
}

TEST(an_entry_that_was_tried_is_blessed_before_it_is_the_default) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.wish.default_toplevel = TOP("a");
        play(&world);
        add_system(&world, "b", KERNEL("a"), INITRD("a"));
        world.wish.counted_toplevel = TOP("b");
        world.wish.tries = 3;
        play(&world);

        world.wish.counted_toplevel = NULL;
        world.wish.default_toplevel = world.wish.blessed_toplevel = TOP("b");
        play(&world);
        assert_kinds(&world, "rename-entry set-default");
        ASSERT_EQ(world.listing.n_entries, 2);
        play(&world);
        assert_kinds(&world, "");
}

TEST(an_entry_that_is_there_already_is_counted_once_it_is_tried) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        add_system(&world, "b", KERNEL("a"), INITRD("a"));
        world.wish.default_toplevel = TOP("a");
        play(&world);
        world.wish.counted_toplevel = TOP("b");
        world.wish.tries = 2;
        play(&world);
        assert_kinds(&world, "rename-entry");
        ASSERT_TRUE(text_has_suffix(world.menu.entries[0].file, "+2-0.conf"));
        play(&world);
        assert_kinds(&world, "");
}

TEST(an_entry_that_was_tried_in_vain_goes_and_its_counter_with_it) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        add_system(&world, "b", KERNEL("a"), INITRD("b"));
        world.wish.default_toplevel = TOP("a");
        world.wish.counted_toplevel = TOP("b");
        world.wish.tries = 1;
        play(&world);
        world.wish.n_systems = 1;
        play(&world);
        assert_kinds(&world, "remove-entry remove-payload");
}

TEST(what_is_no_generation_is_in_the_menu_below_them_until_nobody_wants_it) {
        MenuExtra extra = { .name = (char *) "memtest",
                            .title = (char *) "Memory test",
                            .program = (char *) KERNEL("m") };
        MenuExtras extras = { &extra, 1 };
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        add_source(&world, KERNEL("m"));
        world.wish.default_toplevel = TOP("a");
        world.wish.extras = &extras;
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-payload write-entry set-default "
                             "write-entry");
        ASSERT_EQ(world.listing.entries[1].name.style, ENTRY_ENACT_EXTRA);
        ASSERT_CONTAINS(world.menu.entries[1].text, "title Memory test\nsort-key o_memtest\nefi ");
        ASSERT_TRUE(menu_entry_compare(&world.listing.entries[0], &world.listing.entries[1],
                                       &world.wish.version) < 0);
        play(&world);
        assert_kinds(&world, "");
        world.wish.extras = NULL;
        play(&world);
        assert_kinds(&world, "remove-entry remove-payload");
}

TEST(a_system_stands_before_its_own_specialisations) {
        _cleanup_(world_done) World world;
        const MenuEntry *entries;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.specs[0].specialisations = calloc(1, sizeof(Bootspec));
        world.specs[0].n_specialisations = 1;
        fill_spec(&world.specs[0].specialisations[0], "q", KERNEL("a"), INITRD("a"));
        world.specs[0].specialisations[0].specialisation = copy("quiet");
        add_system(&world, "b", KERNEL("a"), INITRD("a"));
        play(&world);
        entries = world.listing.entries;
        ASSERT_CONTAINS(entries[1].entry.title, "Nix");
        ASSERT_CONTAINS(entries[2].entry.title, "(quiet)");
        ASSERT_TRUE(menu_entry_compare(&entries[0], &entries[1], &world.wish.version) < 0);
        ASSERT_TRUE(menu_entry_compare(&entries[1], &entries[2], &world.wish.version) < 0);
}

TEST(a_counted_entry_is_never_named_to_a_loader_that_would_boot_it_for_ever) {
        static const unsigned majors[] = { 252, 259, 260 };

        for (size_t i = 0; i < ELEMENTSOF(majors); i++) {
                _cleanup_(world_done) World world;
                const BootStep *step = NULL;

                world_init(&world);
                world.wish.version.major = majors[i];
                add_system(&world, "a", KERNEL("a"), INITRD("a"));
                world.wish.default_toplevel = world.wish.counted_toplevel = TOP("a");
                world.wish.tries = 3;
                plan(&world);
                for (size_t j = 0; j < world.plan.n; j++)
                        if (world.plan.steps[j].kind == BOOT_STEP_SET_DEFAULT)
                                step = &world.plan.steps[j];
                assert_non_null(step);
                ASSERT_FALSE(strchr(step->path, '+'));
                if (majors[i] < 260)
                        ASSERT_TEXT(step->path, "nixos-*");
                else
                        ASSERT_TRUE(text_has_suffix(step->path, ".conf"));
        }
}

TEST(an_entry_that_was_tried_keeps_its_counter) {
        _cleanup_(world_done) World world;
        _cleanup_free_ char *tried = NULL;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.wish.counted_toplevel = TOP("a");
        world.wish.tries = 3;
        play(&world);
        ASSERT_OK(entry_name_print(world.menu.entries[0].stem, true, 1, 2, &tried));
        free(world.listing.entries[0].file);
        world.listing.entries[0].file = copy(tried);
        plan(&world);
        assert_kinds(&world, "");
        ASSERT_TEXT(world.menu.entries[0].file, tried);
}

TEST(nothing_is_deleted_while_a_generation_cannot_be_read) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        add_system(&world, "b", KERNEL("b"), INITRD("b"));
        play(&world);
        add_system(&world, "c", KERNEL("c"), INITRD("c"));
        world.systems[1].spec = NULL;
        world.wish.limit = 1;
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-entry");
        ASSERT_EQ(world.plan.notes.n, 1);
        ASSERT_CONTAINS(world.plan.notes.items[0], TOP("b"));

        world.room.free_bytes = 2 * MIB; /* not for want of room either */
        add_system(&world, "d", KERNEL("d"), INITRD("d"));
        plan(&world);
        ASSERT_FALSE(world.plan.fits);
        ASSERT_EQ(world.plan.n, 0);
}

TEST(entries_of_others_and_their_files_stay) {
        _cleanup_(world_done) World world;

        world_init(&world);
        put_payload(&world, "EFI/nixos/shared.efi", MIB);
        put_payload(&world, "EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi", MIB);
        put_entry(&world, "memtest86.conf",
                  "linux \\EFI\\nixos\\0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi\n");
        put_entry(&world, "nixos-mine.conf", "linux /EFI/nixos/shared.efi\n");
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-entry");
}

TEST(nixos_own_entries_of_both_styles_go_with_their_files_when_ours_are_there) {
        static const char hash[] =
                "nixos-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.conf";
        _cleanup_(world_done) World world;

        world_init(&world);
        put_payload(&world, "EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi", MIB);
        put_entry(&world, "nixos-generation-1.conf",
                  "linux /EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi\n"
                  "options init=" TOP("a") "/init\n");
        put_entry(&world, hash,
                  "linux /EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi\n"
                  "options init=" TOP("a") "/init\n");
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.wish.default_toplevel = TOP("a");
        world.wish.selected = hash;
        play(&world);
        assert_kinds(&world, "write-payload write-payload write-entry set-default remove-entry");
        ASSERT_EQ(find_entry(&world, "nixos-generation-1.conf"), world.listing.n_entries);

        world.wish.selected = NULL;
        play(&world);
        assert_kinds(&world, "remove-entry remove-payload");
}

TEST(for_want_of_room_the_oldest_that_nobody_needs_goes_first) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"))->is_protected = true;
        add_system(&world, "b", KERNEL("b"), INITRD("b"));
        add_system(&world, "c", KERNEL("c"), INITRD("c"));
        play(&world);
        add_system(&world, "d", KERNEL("d"), INITRD("d"))->is_protected = true;
        world.wish.default_toplevel = TOP("a");
        world.room.free_bytes = 5 * MIB;
        play(&world);
        assert_kinds(&world, "remove-entry remove-payload remove-payload write-payload "
                             "write-payload set-default write-entry");
        ASSERT_EQ(world.plan.freed_bytes, 20 * MIB);
        ASSERT_CONTAINS(world.plan.notes.items[0], "generation 2 is left out");
}

TEST(if_it_does_not_fit_even_then_nothing_is_done) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"))->is_protected = true;
        add_system(&world, "b", KERNEL("b"), INITRD("b"));
        play(&world);
        add_system(&world, "c", KERNEL("c"), INITRD("c"))->is_protected = true;
        add_system(&world, "d", KERNEL("d"), INITRD("d"))->is_protected = true;
        world.room.free_bytes = 5 * MIB;
        plan(&world);
        ASSERT_FALSE(world.plan.fits);
        ASSERT_EQ(world.plan.n, 0);
        ASSERT_TRUE(world.plan.needed_bytes > 40 * MIB);
}

TEST(an_entry_that_alone_boots_a_needed_system_does_not_make_room) {
        _cleanup_(world_done) World world;

        world_init(&world);
        put_payload(&world, "EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi",
                    100 * MIB);
        put_entry(&world, "nixos-generation-1.conf",
                  "linux /EFI/nixos/0123456789abcdfghijklmnpqrsvwxyz-linux-bzImage.efi\n"
                  "options init=" TOP("a") "/init\n");
        add_system(&world, "a", KERNEL("a"), INITRD("a"))->is_protected = true;
        world.room.free_bytes = 5 * MIB;
        plan(&world);
        ASSERT_FALSE(world.plan.fits);
        world.systems[0].is_protected = false; /* nobody needs it: it may go, and come back */
        plan(&world);
        ASSERT_TRUE(world.plan.fits);
}

TEST(damaged_files_are_written_again) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        play(&world);
        world.listing.payloads[0].verified = false;
        world.listing.entries[0].intact = false;
        play(&world);
        assert_kinds(&world, "write-payload write-entry");
        ASSERT_TRUE(world.plan.steps[0].replaces);
        play(&world);
        assert_kinds(&world, "");
}

TEST(a_default_without_an_entry_is_refused) {
        _cleanup_(world_done) World world;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        world.wish.default_toplevel = TOP("z");
        ASSERT_OK(boot_menu_build(&world.wish, &world.listing, &world.menu));
        ASSERT_EQ(boot_plan_new(&world.wish, &world.listing, &world.menu, &world.room, &world.plan),
                  -ENOENT);
}

TEST(the_bytes_of_a_store_path_are_known_from_an_intact_entry) {
        _cleanup_(world_done) World world;
        Digest digest;

        world_init(&world);
        add_system(&world, "a", KERNEL("a"), INITRD("a"));
        ASSERT_EQ(boot_source_known(&world.listing, KERNEL("a"), &digest), -ENOENT);
        play(&world);
        ASSERT_OK(boot_source_known(&world.listing, KERNEL("a"), &digest));
        ASSERT_TRUE(digest_equal(&digest,
                                 &boot_sources_find(&world.wish.sources, KERNEL("a"))->digest));
        ASSERT_EQ(boot_source_known(&world.listing, KERNEL("b"), &digest), -ENOENT);
        world.listing.entries[0].intact = false;
        ASSERT_EQ(boot_source_known(&world.listing, KERNEL("a"), &digest), -ENOENT);
}
