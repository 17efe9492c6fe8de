# `enact boot` has the next boot try a system: it becomes the boot default once that boot was judged well, and it can be
# given up before. With --trial the profile waits as well.
# It may take 900 s.
# tools/check runs it.

needs enact

usual_systems vm
firmware_host vm one

# next_entry: the file that boots next, and why
next_entry() {
    ask vm enact boot-menu --json | jq -r '.next | "\(.file) \(.reason)"'
}

step "a trial is told, and until it boots the old system is the default"
on vm enact boot --store-path "$(path_of vm two)"
says "The next boot tries '$(path_of vm two)'"
is "$(profile_of vm)" "$(path_of vm two)" "the system profile"
is "$(next_entry | cut -d' ' -f2)" one-shot "why it boots next"
on vm enact status
says "next boot" "tries $(path_of vm two), once"
is "$(ask vm enact status --json | jq -r '.trial, .default, .interrupted')" \
    "$(path_of vm two)
$(path_of vm one)
false" "the trial, the boot default and whether anything was interrupted"
on vm enact generations pin 1
on vm enact boot-menu verify

step "it can be given up"
on vm enact cancel
says "was given up"
is "$(profile_of vm)" "$(path_of vm one)" "the system profile"
is "$(ask vm enact boot-menu --json | jq --arg two "$(path_of vm two)" '[.entries[] | select(.toplevel == $two)] | length')" \
    0 "the entries of what was to be tried"
missing vm /var/lib/enact/transaction.json

step "a boot that is well makes it the default"
on vm enact boot --trial --store-path "$(path_of vm two)"
is "$(profile_of vm)" "$(path_of vm one)" "the system profile"
shut_down vm
boot vm
is "$(booted_of vm)" "$(path_of vm two)" "what was booted"
eventually 60 inactive vm enact-boot-check.service
on vm enact log
says "was tried in this boot and is well"
is "$(profile_of vm)" "$(path_of vm two)" "the system profile"
is "$(next_entry | cut -d' ' -f2)" conf-default "why it boots next"
on vm systemctl is-active boot-complete.target
on vm enact boot-menu verify
missing vm /var/lib/enact/transaction.json
shut_down vm
boots_into vm two
is "$(resets_of vm)" 0 "the resets"
