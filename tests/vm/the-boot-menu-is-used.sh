# A machine boots what its menu says: the new generation after a switch; what is chosen with the keyboard, for that once;
# a specialisation; and after a rollback the old generation.
# It may take 600 s.
# tools/check runs it.

needs enact

usual_systems vm

step "the machine boots what NixOS has installed"
firmware_host vm one
is "$(booted_of vm)" "$(path_of vm one)" "what was booted"
on vm enact boot-menu verify
says "The boot menu is whole"

step "a switch writes the menu, and the next start lands in the new generation"
on vm enact switch --store-path "$(path_of vm two)"
on vm enact boot-menu
on vm enact boot-menu verify
says "The boot menu is whole"
save vm
shut_down vm
boots_into vm two

step "an older generation is chosen with the keyboard, for this once"
start vm
choose vm "Generation 1"
ran vm one
boots_into vm two

step "a specialisation is chosen"
start vm
choose vm "calm"
ran vm two/calm

step "after a rollback the old generation boots"
restore vm
on vm enact rollback
is "$(profile_of vm)" "$(path_of vm one)" "the system profile"
on vm enact boot-menu verify
shut_down vm
boots_into vm one
is "$(resets_of vm)" 0 "the resets"
