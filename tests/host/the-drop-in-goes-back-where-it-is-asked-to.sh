# rollback.dropIn: called as bin/switch-to-configuration, after somebody has set the profile as nixos-rebuild does,
# a system that does not do well is rolled back, and the profile and the boot menu with it; one that does well stays.
# It may take 200 s.

needs enact
host web

profile=/nix/var/nix/profiles/system

system() { # NAME [MORE]
    configuration web "$1" << NIX
{ pkgs, ... }: {
  boot.loader.systemd-boot.enable = true;
  environment.etc.motto.text = "$1";
  programs.enact = { enable = true; switchToConfiguration = true; rollback.dropIn = true; };
  ${2-}
}
NIX
}

failing='systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };'
looping='systemd.services.looping = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sh -c \"sleep 0.3; exit 1\""; Restart = "always"; RestartSec = "100ms"; }; };'

# set_profile SYSTEM: what nixos-rebuild does before it calls the system's program
set_profile() {
    on web nix-env --profile $profile --set "$1"
}

default_entry() {
    ask web sed -n 's/^default //p' /boot/loader/loader.conf
}

step "a good one stays: 0, in NixOS' words"
system one
one=$(built web one)
set_profile "$one"
on web "$one/bin/switch-to-configuration" switch
says "activating the configuration..."
says_not "rolling back"
is "$(running_of web)" "$one"
is "$(default_entry)" nixos-generation-2.conf
is "$(ask web readlink /nix/var/nix/gcroots/enact/good)" "$one"

step "a unit that fails: 3, the old system runs, its generation is the profile and the boot default"
system bad "$failing"
bad=$(built web bad)
steady=$(pid_of web steady.service)
set_profile "$bad"
is "$(ask web readlink $profile)" system-3-link
refused web 3 "$bad/bin/switch-to-configuration" switch
says_on_stderr "warning: the following units failed: broken.service" \
    "rolling back to '$one': A unit failed: broken.service" "making the old system the boot default again" \
    "Error: A unit failed: broken.service. Rolled back: '$one' runs again."
says_not "could not be noted"
is "$(running_of web)" "$one"
is "$(contents web /etc/motto)" one
is "$(ask web readlink $profile)" system-2-link
is "$(default_entry)" nixos-generation-2.conf
is "$(generations_of web | xargs)" "1 2 3"
is "$(ask web systemctl is-system-running)" running
same_pid web steady.service "$steady"
missing web /var/lib/enact/transaction.json
journal_says web "switching to system configuration $bad failed (status 3)" -t nixos
on web enact generations --json
is "$(said | jq -r '.generations[] | select(.failed) | .toplevel')" "$bad"

step "a test that is found good is not the last good switch"
system tried
tried=$(built web tried)
on web "$tried/bin/switch-to-configuration" test
is "$(running_of web)" "$tried"
is "$(ask web readlink /nix/var/nix/gcroots/enact/good)" "$one"
missing web /nix/var/nix/gcroots/enact/back
on web "$one/bin/switch-to-configuration" test

step "one that only fails while it is watched, and a test, which moves neither"
system later "$looping"
later=$(built web later)
refused web 3 "$later/bin/switch-to-configuration" test
says "rolling back to '$one'" "looping.service" "Rolled back: '$one' runs again."
says_not "boot default again"
is "$(running_of web)" "$one"
is "$(ask web readlink $profile)" system-2-link

step "a probe that fails, and an activation script"
system probed 'programs.enact.judge.probes.web = { type = "exec"; command = [ (pkgs.writeShellScript "motto" "read -r motto < /etc/motto; [ \"$motto\" != probed ]") ]; grace = 0; retries = 1; period = 0; };'
probed=$(built web probed)
set_profile "$probed"
refused web 3 "$probed/bin/switch-to-configuration" switch
says "A probe failed: 'web'"
is "$(running_of web)" "$one"
is "$(ask web readlink $profile)" system-2-link
system script 'system.activationScripts.broken = "(exit 3)";'
script=$(built web script)
set_profile "$script"
refused web 3 "$script/bin/switch-to-configuration" switch
says "Activation script snippet 'broken' failed (3)" "Rolled back: '$one' runs again."
is "$(running_of web)" "$one"
is "$(ask web readlink $profile)" system-2-link

step "a specialisation: the profile stands for the system that it is of"
system special "specialisation.broken.configuration = { $failing };"
special=$(built web special)
set_profile "$special"
refused web 3 "$special/specialisation/broken/bin/switch-to-configuration" switch
says "Rolled back: '$one' runs again."
is "$(running_of web)" "$one"
is "$(ask web readlink $profile)" system-2-link
is "$(default_entry)" nixos-generation-2.conf

step "nobody has set the profile: it is left alone"
refused web 3 "$bad/bin/switch-to-configuration" switch
is "$(running_of web)" "$one"
is "$(ask web readlink $profile)" system-2-link
is "$(default_entry)" nixos-generation-2.conf

step "an unchanged system has no way back: as NixOS' own program"
on web "$one/bin/switch-to-configuration" switch
is "$(running_of web)" "$one"

step "the old system was only tested and has no generation: it runs again, and what could not be done is said: 5"
system tested
tested=$(built web tested)
on web "$tested/bin/switch-to-configuration" test
set_profile "$bad"
refused web 5 "$bad/bin/switch-to-configuration" switch
says "Rolled back: '$tested' runs again." "are still '$bad': no generation holds the old system"
is "$(running_of web)" "$tested"
is "$(profile_of web)" "$bad"

step "the way back fails, too: 5"
system holder 'system.activationScripts.once = "[ ! -e /root/no-way-back ]";'
holder=$(built web holder)
set_profile "$holder"
on web "$holder/bin/switch-to-configuration" switch
on web touch /root/no-way-back
set_profile "$bad"
refused web 5 "$bad/bin/switch-to-configuration" switch
says "Going back to '$holder' failed, too"
is "$(profile_of web)" "$holder"
on web rm /root/no-way-back
on web "$holder/bin/switch-to-configuration" switch

step "without the option it is NixOS' own program: 4, and all stays as it is"
configuration web plain << NIX
{
  boot.loader.systemd-boot.enable = true;
  programs.enact = { enable = true; switchToConfiguration = true; };
  $failing
}
NIX
plain=$(built web plain)
set_profile "$plain"
refused web 4 "$plain/bin/switch-to-configuration" switch
says_not "rolling back"
is "$(running_of web)" "$plain"
is "$(profile_of web)" "$plain"
