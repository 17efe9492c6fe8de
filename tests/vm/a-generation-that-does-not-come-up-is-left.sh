# A generation whose kernel is truncated, whose initial RAM disk or init is missing, that hangs before or after systemd
# runs, or that boots and is not well: the machine comes back to the old one. Where no program runs that could
# end it, the reset is the scenario's: on a machine that is a watchdog's, and it is counted.
# It may take 1200 s.

needs enact

usual_systems vm
firmware_host vm one

# tried NAME: the next start tries that generation, and by itself the machine boots the old one
tried() {
    on vm enact boot --store-path "$(path_of vm "$1")"
    says "The next boot tries"
    is "$(profile_of vm)" "$(path_of vm "$1")" "the system profile"
    on vm enact boot-menu
    is "$(ask vm enact boot-menu --json | jq -r .next.reason)" one-shot "why it boots next"
    is "$(ask vm enact boot-menu --json | jq -r '.entries[] | select(.boots).toplevel')" "$(path_of vm "$1")" "what boots next"
}

# failed_trial NAME: the old system runs, and knows that the other has failed
failed_trial() {
    is "$(booted_of vm)" "$(path_of vm one)" "what was booted"
    eventually 60 at_its_end vm
    is "$(profile_of vm)" "$(path_of vm one)" "the system profile"
    on vm enact status
    on vm enact log
    on vm enact boot-menu verify
    attempt vm enact boot --unattended --store-path "$(path_of vm "$1")"
    is_not "$code" 0 "the exit code of a second trial that nobody watches"
}

step "a truncated kernel"
tried truncated
shut_down vm
start vm
eventually "$boot_limit" shows vm "Error loading"
reset vm
boots_into vm one

step "and the old system, once it runs, puts its profile back"
boot vm
failed_trial truncated
power_cut vm

step "a missing initial RAM disk"
restore vm
tried apart
on vm sh -ec 'rm "/boot$(sed -n "s/^initrd *//p" "/boot/loader/entries/$1")"; sync' - \
    "$(ask vm enact boot-menu --json | jq -r '[.entries[] | select(.boots)][0].file')"
power_cut vm
start vm
eventually "$boot_limit" shows vm "Error preparing initrd"
reset vm
boots_into vm one

step "a missing init: the kernel gives up, and the machine comes back by itself (panic=)"
restore vm
tried two
on vm sh -ec 'rm "$1/init"; sync' - "$(path_of vm two)"
power_cut vm
start vm
host_gone vm "$boot_limit"
shows vm "it is $(path_of vm two)/init"
boots_into vm one

step "it hangs before systemd runs"
restore vm
tried early
shut_down vm
switch_on vm
eventually "$boot_limit" shows vm "it is $(path_of vm early)/init"
eventually "$boot_limit" shows vm "hangs here"
reset vm
boots_into vm one

step "it hangs after that: past its deadline the machine reboots by itself"
restore vm
tried late
shut_down vm
switch_on vm
host_gone vm "$boot_limit"
shows vm "it is $(path_of vm late)/init"
boots_into vm one

step "it boots, and is not well: the same, without waiting"
restore vm
tried bad
shut_down vm
switch_on vm
host_gone vm "$boot_limit"
shows vm "it is $(path_of vm bad)/init"
boots_into vm one
boot vm
failed_trial bad

is "$(resets_of vm)" 3 "the resets"
