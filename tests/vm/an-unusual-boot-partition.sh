# What firmware and loader make of a boot partition that is full, and of entries full of garbage: the old system boots until
# there is room, and what is no entry of enact's is left as it is. Without a default the first in the menu boots.
# It may take 900 s.

needs enact

usual_systems vm
firmware_host vm one

step "a full partition: the switch ends with numbers, and what boots is what booted before"
on vm sh -c 'dd if=/dev/zero of=/boot/junk bs=1M 2> /dev/null; sync'
refused vm 1 enact switch --store-path "$(path_of vm two)"
says "The boot partition at '/boot' is too full" "Nothing was written to it"
says_not "could not be taken out"
at_its_end vm
is "$(running_of vm)" "$(path_of vm one)" "what runs"
shut_down vm
boots_into vm one

step "entries full of garbage are not booted and not touched"
restore vm
on vm sh -ec 'cd /boot/loader/entries
    head -c 100000 /dev/urandom > noise.conf
    head -c 100000 /dev/urandom > nixos-generation-9.conf
    : > empty.conf
    : > nixos-0123456789.conf
    yes "title Many" | head -n 5000 > many.conf
    printf "title Elsewhere\nlinux /nowhere/vmlinuz\n" > elsewhere.conf
    printf "title NixOS\nsort-key nixos\nversion Generation 99\noptions init=/nowhere\n" > nothing.conf
    mkdir folder.conf
    sync'
on vm enact boot-menu
on vm enact switch --store-path "$(path_of vm two)"
on vm enact boot-menu
for name in noise empty many elsewhere nothing folder; do
    exists vm "/boot/loader/entries/$name.conf"
done
shut_down vm
boots_into vm two

step "an empty loader.conf: the first in the menu boots, as is told before"
boot vm
on vm sh -c ': > /boot/loader/loader.conf; sync'
is "$(ask vm enact boot-menu --json | jq -r .next.reason)" sort-order "why it boots next"
is "$(ask vm enact boot-menu --json | jq -r '.entries[] | select(.boots).file')" nixos-generation-1.conf "what boots next"
power_cut vm
boots_into vm one

step "and the newest, with none that NixOS has made before it; without that file, too"
on_partition vm esp mdel ::loader/entries/nixos-generation-1.conf
boots_into vm two
on_partition vm esp mdel ::loader/loader.conf
boots_into vm two
is "$(resets_of vm)" 0 "the resets"
