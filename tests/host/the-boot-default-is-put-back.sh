# What the boot menu leads to is kept by itself and not guessed from the profile: with --profile-name
# another system can be the default than the profile 'system' has, and what fails puts that one back.
# Where another program had a hand in it enact does not claim to know, and runs the installer: also after a
# reboot, and where only the menu's own files show it.
# It may take 500 s.

needs enact
host web

profile=/nix/var/nix/profiles/system

# system NAME [LINES]: its installer adds what it was told to /boot/menu, and fails for what is in /root/unbootable
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  environment.etc.motto.text = "$1";
  boot.loader.external = {
    enable = true;
    installHook = pkgs.writeShellScript "install" ''
      PATH=/usr/bin:/bin
      mkdir -p /boot
      echo "\$1" >> /boot/menu
      [ ! -d /boot/loader ] || echo "default \$1" > /boot/loader/loader.conf
      [ ! -e /root/unbootable ] || [ "\$1" != "\$(cat /root/unbootable)" ]
    '';
  };
  ${2:-}
}
NIX
}

menu() {
    ask web tail -n 1 /boot/menu
}

default_of() {
    ask web enact status --json | jq -r .default
}

marked() { # MARK
    ask web enact generations --json | jq -r --arg mark "$1" '.generations[] | select(.[$mark]) | .toplevel'
}

system one
on web enact switch --flake /root/one
one=$(running_of web)
is "$(menu)" "$one"

step "another profile's system is the default; the profile 'system' stays"
system two
on web enact switch --profile-name trial --flake /root/two
two=$(running_of web)
is "$(menu)" "$two"
is "$(default_of)" "$two"
is "$(profile_of web)" "$one"

step "the record has it, the time without a sign of life, and when the judge is to be done"
system held "system.activationScripts.wait = ''
    /usr/local/bin/hold-here
  '';
  systemd.services.greeter = { wantedBy = [ \"multi-user.target\" ]; serviceConfig.ExecStart = \"/bin/sleep 1001\"; };"
hold web
begin switch web enact test --judge-window 6 --flake /root/held
eventually 30 held web
record=$(ask web cat /var/lib/enact/transaction.json)
is "$(jq -r '."old-default"' <<< "$record")" "$two"
is "$(jq -r '."old-profile"' <<< "$record")" "$one"
is "$(jq -r .lease <<< "$record")" 30
is "$(jq -r '."judge-deadline"' <<< "$record")" 0
let_go web
eventually 30 on web sh -c '[ "$(jq ".\"judge-deadline\"" /var/lib/enact/transaction.json)" -gt 0 ]'
ends switch 0
is "$(menu)" "$two"
on web enact test --store-path "$two"

step "a commit that fails puts back what was the default, not what the profile has"
system three
three=$(built web three)
write web /root/unbootable <<< "$three"
refused web 3 enact switch --flake /root/three
says "boot loader installer" "Rolled back: '$two' runs again"
is "$(menu)" "$two"
is "$(default_of)" "$two"
is "$(profile_of web)" "$one"

step "where the old one's installer fails, too, nobody claims to know; the next switch puts it right"
write web /root/unbootable <<< "$two"
refused web 5 enact switch --profile-name trial --store-path "$two" --force
says "it may not be the boot default"
missing web /var/lib/enact/boot-default.json
on web rm /root/unbootable
on web enact switch --profile-name trial --store-path "$two"
says "making the old system the boot default again"
is "$(menu)" "$two"
is "$(default_of)" "$two"

step "kept in spite of failed units it is the default, and yet not the last good one"
system broken 'systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };'
refused web 4 enact switch --no-rollback --flake /root/broken
broken=$(running_of web)
is "$(menu)" "$broken"
is "$(default_of)" "$broken"
is "$(marked default)" "$broken"
is "$(marked good)" "$two"

step "kept, but its installer fails: what was the default still is"
system other 'systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false --again"; };'
write web /root/unbootable <<< "$(built web other)"
refused web 4 enact switch --no-rollback --flake /root/other
says "could not be made the boot default"
is "$(menu)" "$broken"
is "$(default_of)" "$broken"
is "$(profile_of web)" "$broken"
on web rm /root/unbootable

step "another program writes the menu for another system and sets the profile back: the installer is run again"
on web enact switch --store-path "$one"
on web nix-env --profile $profile --set "$three"
write web /boot/menu <<< "$three"
on web nix-env --profile $profile --set "$one"
is "$(profile_of web)" "$one"
on web enact switch --store-path "$one"
says_not "Nothing to do"
is "$(menu)" "$one"
on web enact switch --store-path "$one"
says "Nothing to do"

step "another program runs the installer and leaves the profile alone: what it has written shows it, whichever loader that is"
is "$(ask web enact status --json | jq '."default-is-guessed"')" false
on web sh -c 'echo "$1" >> /boot/menu' - "$three"
on web enact status
says "a guess, since no boot loader installer is known to agree"
on web enact switch --store-path "$one"
says_not "Nothing to do"
is "$(menu)" "$one"
on web enact switch --store-path "$one"
says "Nothing to do"

step "and so do the files of one that is known"
on web mkdir -p /boot/loader
on web enact switch --force --store-path "$one"
is "$(contents web /boot/loader/loader.conf)" "default $one"
on web enact switch --store-path "$one"
says "Nothing to do"
write web /boot/loader/loader.conf <<< "default $three"
on web enact switch --store-path "$one"
says_not "Nothing to do"
is "$(contents web /boot/loader/loader.conf)" "default $one"
on web enact switch --store-path "$one"
says "Nothing to do"

step "a boot into what the profile stands for proves nothing where an installer was told otherwise"
on web enact switch --store-path "$two"
is "$(menu)" "$two"
on web rm -r /boot/loader
on web enact switch --force --store-path "$two"
on web nix-env --profile $profile --set "$one"
reboot web
is "$(booted_of web)" "$one"
on web enact switch --store-path "$one"
says_not "Nothing to do"
is "$(menu)" "$one"
at_its_end web

step "of an installer that leaves nothing where boot menus are nobody sees the next run: it is run again, and called a guess"
configuration web traceless << 'NIX'
{ pkgs, ... }: {
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo $1 >> /root/elsewhere";
}
NIX
on web sh -c 'rm -rf /boot/*'
on web enact switch --flake /root/traceless
traceless=$(running_of web)
is "$(default_of)" "$traceless"
is "$(ask web enact status --json | jq '."default-is-guessed"')" true
on web enact switch --store-path "$traceless"
says_not "Nothing to do"
is "$(ask web grep -c "$traceless" /root/elsewhere)" 2 "how often the installer was run"
