# With an extended boot partition (XBOOTLDR) entries and kernels go there, the default stays on the EFI system partition, and
# the machine boots by it.
# It may take 600 s.

needs enact

usual_systems vm
firmware_host vm one xbootldr
on vm enact boot-menu verify

step "a switch writes both partitions"
on vm enact switch --store-path "$(path_of vm two)"
on vm enact boot-menu verify
missing vm /efi/loader/entries
missing vm /efi/EFI/enact
exists vm /boot/EFI/enact
on vm cat /efi/loader/loader.conf
says "default nixos-"
shut_down vm
boots_into vm two

step "the entries of both generations are in the menu"
start vm
choose vm "Generation 1"
ran vm one
