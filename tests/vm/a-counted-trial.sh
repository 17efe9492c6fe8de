# Where EFI variables cannot be written, the loader counts the tries of a new system in its entry's name. While somebody
# else's entry sorts before ours there is no such trial, and why is told. One whose kernel cannot be loaded is left after
# its tries; each of these ends with the firmware, and the reset is the scenario's.
# It may take 1200 s.

needs enact

usual_systems vm
firmware_host vm one

# next_entry: the file that boots next, and why
next_entry() {
    ask vm enact boot-menu --json | jq -r '.next | "\(.file) \(.reason)"'
}
# boots_next: the system of it
boots_next() {
    ask vm enact boot-menu --json | jq -r '.entries[] | select(.boots).toplevel'
}
# counted: the files of entries whose tries are counted
counted() {
    ask vm ls /boot/loader/entries | sed -n '/+/p'
}

step "the entry that NixOS has made sorts before ours: with --trial all stays as it was"
on vm mount -o remount,ro /sys/firmware/efi/efivars
refused vm 1 enact boot --trial --store-path "$(path_of vm two)"
says "its order puts 'nixos-generation-1.conf' first"
is "$(profile_of vm)" "$(path_of vm one)" "the system profile"
is "$(generations_of vm)" 1 "the generations"
is "$(ask vm enact boot-menu --json | jq -r '[.entries[].toplevel | values] | unique[]')" "$(path_of vm one)" \
    "the systems in the menu"
is "$(boots_next)" "$(path_of vm one)" "what boots next"
missing vm /var/lib/enact/transaction.json

step "without --trial it is the default at once, and the next start boots it"
on vm enact boot --store-path "$(path_of vm two)"
says "its order puts 'nixos-generation-1.conf' first"
is "$(profile_of vm)" "$(path_of vm two)" "the system profile"
on vm enact boot-menu
on vm enact boot-menu verify
is "$(counted)" "" "the entries that are counted"
is "$(boots_next)" "$(path_of vm two)" "what boots next"
missing vm /var/lib/enact/transaction.json
shut_down vm
boot vm
is "$(booted_of vm)" "$(path_of vm two)" "what was booted"

step "booted by our own entry, that one goes, and a trial is counted"
on vm mount -o remount,ro /sys/firmware/efi/efivars
on vm enact boot-menu refresh
missing vm /boot/loader/entries/nixos-generation-1.conf
save vm
on vm enact boot-menu
on vm enact boot --store-path "$(path_of vm apart)"
says "The next boot tries '$(path_of vm apart)'"
on vm cat /boot/loader/loader.conf
on vm enact boot-menu
on vm enact boot-menu verify
is "$(counted | sed 's/^nixos-[0-9a-f]*//')" +3-0.conf "the counter"
is "$(next_entry)" "$(counted) conf-default" "what boots next"
on vm enact status
says "tries $(path_of vm apart), counted by the boot loader"

step "the next boot runs it, and is well: its counter goes, and it is the default"
shut_down vm
boot vm
is "$(booted_of vm)" "$(path_of vm apart)" "what was booted"
eventually 60 inactive vm enact-boot-check.service
on vm enact log
says "was tried in this boot and is well"
is "$(counted)" "" "the entries that are counted"
is "$(profile_of vm)" "$(path_of vm apart)" "the system profile"
on vm enact boot-menu verify
is "$(boots_next)" "$(path_of vm apart)" "what boots next"
missing vm /var/lib/enact/transaction.json
shut_down vm
boots_into vm apart

step "a kernel that cannot be loaded: three tries, and the old system boots and gives it up"
restore vm
on vm enact boot --store-path "$(path_of vm truncated)"
shut_down vm
for try in 1 2 3; do
    printf 'try %s\n' "$try"
    start vm
    eventually "$boot_limit" shows vm "Error loading"
    reset vm
done
on_partition vm esp mdir -b ::loader/entries
boot vm
is "$(booted_of vm)" "$(path_of vm two)" "what was booted"
eventually 60 at_its_end vm
is "$(profile_of vm)" "$(path_of vm two)" "the system profile"
is "$(counted)" "" "the entries that are counted"
on vm enact status
on vm enact log
on vm enact boot-menu verify
is "$(boots_next)" "$(path_of vm two)" "what boots next"
attempt vm enact boot --unattended --store-path "$(path_of vm truncated)"
is_not "$code" 0 "the exit code of a second trial that nobody watches"
is "$(resets_of vm)" 3 "the resets"
