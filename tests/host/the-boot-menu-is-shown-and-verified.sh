# enact boot-menu shows what NixOS' own installer has written: which generation each entry boots, which one is next and
# why; verify finds what is missing, cut short or left behind, and refresh has it written anew.

needs enact
host web
configuration web one << 'NIX'
{ boot.loader.systemd-boot.enable = true; }
NIX
configuration web two << 'NIX'
{ boot.loader.systemd-boot.enable = true; boot.kernelParams = [ "two" ]; }
NIX
menu=(enact boot-menu)
folder=--esp-path=/boot

step "a folder that is no boot partition is looked at only if it is named"
refused web 1 "${menu[@]}"
says "No boot partition is mounted"

step "each generation has its entry, and the newest boots"
on web enact switch --flake /root/one#web
on web enact switch --flake /root/two#web
on web "${menu[@]}" show "$folder"
says "nixos" "complete" "'default' in loader.conf names it"
on web "${menu[@]}" "$folder" --json
is "$(said | jq -r '.entries[] | select(.boots).toplevel')" "$(running_of web)" "what boots next"
is "$(said | jq -r '[.entries[] | .generation] | @csv')" "$(generations_of web | sort -rn | paste -sd, -)" "the generations"
is "$(said | jq -r .next.reason)" conf-default "why"
on web "${menu[@]}" verify "$folder"
says "The boot menu is whole"

step "another default than the profile's"
on web sh -c 'sed -i "s/^default .*/default nixos-generation-1.conf/" /boot/loader/loader.conf'
refused web 1 "${menu[@]}" verify "$folder"
says "'nixos-generation-1.conf' boots next" "has 1 problem."

step "a kernel that is cut short, an entry that is empty"
on web sh -c 'for file in /boot/EFI/nixos/*; do printf x > "$file"; done; : > /boot/loader/entries/nixos-generation-1.conf'
refused web 1 "${menu[@]}" verify "$folder"
says "is not what the store has" "'nixos-generation-1.conf' is damaged: it names no kernel"

step "an entry of somebody else is shown as that"
on web sh -c 'printf "title Memtest\nefi /m.efi\n" > /boot/loader/entries/memtest86.conf; touch /boot/m.efi'
on web "${menu[@]}" "$folder" --json
is "$(said | jq -r '.entries[] | select(.file == "memtest86.conf").maker')" other "whose entry"

step "written anew, it is whole; a plain user's password is asked for, and nobody else's"
on web sh -c 'rm -r /boot/EFI/nixos /boot/loader'
on alice@web enact boot-menu refresh
says "The boot menu was written; '$(running_of web)' is its default."
on web "${menu[@]}" verify "$folder"
refused bob@web 1 enact boot-menu refresh

step "what the installer could not do is told, and what nobody can tell is not claimed"
on web sh -c 'rm /boot/loader/loader.conf; mkdir /boot/loader/loader.conf'
refused web 1 enact boot-menu refresh
says "boot loader installer"
on web sh -c 'rm -r /boot/loader; touch /boot/loader'
on web enact boot-menu refresh
says "could not be told" "was run."
says_not "The boot menu was written"

step "wrong words"
refused web 2 "${menu[@]}" rewrite
refused web 2 "${menu[@]}" refresh --esp-path=/boot
refused web 2 "${menu[@]}" --boot-path=/boot
