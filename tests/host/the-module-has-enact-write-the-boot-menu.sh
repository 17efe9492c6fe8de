# programs.enact.bootMenu makes enact the installer of NixOS' external boot loader. On a machine without a boot partition
# that is told before anything live is touched, and nothing is written into the folder.

needs enact
host web
first=$(running_of web)
configuration web one << 'NIX'
{
  programs.enact = { enable = true; bootMenu = { enable = true; configurationLimit = 7; }; };
}
NIX
one=$(built web one)
hook=$(contents web "$one/bin/switch-to-configuration" | sed -n "s/^export INSTALL_BOOTLOADER='\(.*\)'$/\1/p")

step "the system's installer is enact"
on web cat "$hook"
says "/libexec/enact/enact-activate install-boot-menu \"\$@\""
is "$(ask web jq -c .bootMenu "$one/enact.json")" '{"configurationLimit":7,"mountPoint":"/boot"}' "what it is told"

step "without a boot partition nothing is switched"
refused web 1 enact switch --flake /root/one#web
says "The boot partition at '/boot'" "Nothing was written to it."
is "$(running_of web)" "$first" "what runs"
missing web /boot/loader
is "$(ask web readlink /nix/var/nix/profiles/system)" system-1-link "the profile"
at_its_end web

step "nor is the next boot prepared"
refused web 1 enact boot --flake /root/one#web
says "The boot partition at '/boot'"
refused web 2 enact switch --trial --flake /root/one#web
says "'switch' takes no option '--trial'"

step "the same by NixOS' own way"
refused web 1 "$hook" "$one"
says "The boot partition at '/boot'"
refused web 2 "$hook" "$one" "$one"
says "Usage:"
