# A pre-switch check, a switch inhibitor, another architecture, another host: what speaks against a system is found
# before anything live is touched, and ends with 1. A system that only a reboot can take becomes the
# boot default and ends with 100.

needs enact
host web

snapshot web

step "a pre-switch check that fails: its words, and nothing else"
configuration web check << 'NIX'
{ system.preSwitchChecks.moon = ''
    echo "the moon is in the wrong phase for $2"
    false
  '';
}
NIX
refused web 1 enact switch --flake /root/check
says "the moon is in the wrong phase for switch" "Pre-switch check 'moon' failed" "Nothing was changed"
says_not "activating"
unchanged web
refused web 1 enact test --flake /root/check
says "the moon is in the wrong phase for test"
unchanged web
refused web 1 enact boot --flake /root/check
says "the moon is in the wrong phase for boot" "Nothing was changed"
unchanged web

step "a system for another machine"
configuration web foreign << 'NIX'
{ system.extraSystemBuilderCmds = "printf m68k-linux > system"; }
NIX
refused web 1 enact switch --flake /root/foreign
says "m68k-linux" "Nothing was changed"
unchanged web

step "another host's system: by its name, and by a root device that is not here"
configuration web mail << 'NIX'
{ lib, ... }: { networking.hostName = lib.mkForce "mail"; }
NIX
for verb in switch test boot; do
    refused web 1 enact "$verb" --flake /root/mail#web
    says "is the system of a host 'mail', and this one is 'web'" "Nothing was changed" "--force-host"
    unchanged web
done
configuration web disk << 'NIX'
{ fileSystems."/" = { device = "/dev/disk/by-uuid/0000-nobody"; fsType = "ext4"; options = [ "noauto" ]; }; }
NIX
refused web 1 enact boot --flake /root/disk
says "is on '/dev/disk/by-uuid/0000-nobody', which this host does not have" "Nothing was changed"
unchanged web
first=$(running_of web)
on web enact test --flake /root/mail#web --force-host
is "$(running_of web)" "$(built web mail)"
refused web 1 enact test --store-path "$first"
says "is the system of a host 'web', and this one is 'mail'"
on web enact test --store-path "$first" --force-host
snapshot web

step "a system whose wrapper cannot be read: no half-understood program of it is run"
configuration web odd << 'NIX'
{ system.extraSystemBuilderCmds = "printf '#!/bin/sh\nmake trouble\n' > bin/switch-to-configuration"; }
NIX
refused web 1 enact switch --flake /root/odd
says "bin/switch-to-configuration" "Nothing was changed"
unchanged web

step "an inhibitor that changes: only a reboot may"
configuration web one << 'NIX'
{ system.switch.inhibitors.kernel = "6.1"; }
NIX
on web enact switch --flake /root/one
snapshot web
configuration web two << 'NIX'
{ system.switch.inhibitors.kernel = "6.2"; }
NIX
refused web 1 enact switch --flake /root/two
says "kernel : 6.1 -> 6.2" "Nothing was changed"
unchanged web

step "as the inhibitor's own words say, NIXOS_NO_CHECK=1 overrules it"
on web env NIXOS_NO_CHECK=1 enact test --flake /root/two
is "$(running_of web)" "$(built web two)"
on web env NIXOS_NO_CHECK=1 enact switch --flake /root/one

step "or it is booted"
old=$(running_of web)
on web enact boot --flake /root/two
is "$(running_of web)" "$old"
is "$(profile_of web)" "$(built web two)"

step "another init interface: test refuses, switch makes it the boot default and says 100"
on web enact boot --flake /root/one
snapshot web
configuration web interface << 'NIX'
{
  system.switch.inhibitors.kernel = "6.1";
  system.extraSystemBuilderCmds = "printf 'systemd 99' > init-interface-version";
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
}
NIX
refused web 1 enact test --flake /root/interface
says "init interface" "Nothing was changed"
unchanged web
steady=$(pid_of web steady.service)
refused web 100 enact switch --flake /root/interface
says "reboot"
says_not "activating"
is "$(running_of web)" "$old"
is "$(profile_of web)" "$(built web interface)"
same_pid web steady.service "$steady"
inactive web greeter.service
reboot web
is "$(running_of web)" "$(built web interface)"
active web greeter.service
