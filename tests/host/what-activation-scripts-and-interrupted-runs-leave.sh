# Units that an activation script lists are restarted and reloaded, whatever else stands in its lists; what an
# interrupted switch left undone is done by the next one to that system, and is a note for any other.
# It may take 200 s.

needs enact
host web

# flake_with N [SCRIPT]: a greeter told apart by N; listed and nudged never change
flake_with() {
    configuration web flake << NIX
{
  environment.etc.number.text = "$1";
  systemd.services.listed = { aliases = [ "also-listed.service" ]; wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.services.nudged = { aliases = [ "also-nudged.service" ]; wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sleep 1001"; ExecReload = "/bin/sh -c 'echo \$MAINPID >> /run/nudged'"; }; };
  systemd.services.idle.serviceConfig.ExecStart = "/bin/sleep 1001";
  systemd.services.idle-too.serviceConfig.ExecStart = "/bin/sleep 1001";
  system.activationScripts.lists = ''
    ${2:-}
  '';
}
NIX
}
flake_with 1
on web enact switch --flake /root/flake
one=$(running_of web)
listed=$(pid_of web listed.service)
nudged=$(pid_of web nudged.service)

step "lists of the activation script, with other names of units, a blank line, a name that is none and units that do not exist"
flake_with 2 "printf 'also-listed.service\n\n   \nidle.service\nno-such.service\nno unit\n' > /run/nixos/activation-restart-list
    printf '\nalso-nudged.service\nidle-too.service\nno-such-either.service\n' > /run/nixos/activation-reload-list"
on web enact switch --flake /root/flake
says "restart listed.service" "start   idle.service" "reload  nudged.service" "note:" "no-such.service" "done:"
other_pid web listed.service "$listed"
same_pid web nudged.service "$nudged"
is "$(contents web /run/nudged)" "$nudged"
active web idle.service
inactive web idle-too.service
missing web /run/nixos/activation-restart-list
missing web /run/nixos/activation-reload-list
on web systemctl is-system-running
two=$(running_of web)

step "the drop-in: the same, with NixOS' warning"
on web enact switch --store-path "$one"
on web systemctl stop idle.service
listed=$(pid_of web listed.service)
on web "$two/bin/switch-to-configuration" test
says "WARN: restarting or reloading systemd units from the activation script is deprecated" \
    "reloading the following units: nudged.service" "restarting the following units: listed.service" "no-such.service"
says_not "Failed to start"
other_pid web listed.service "$listed"

step "what an interrupted switch to a system left is done by the next one to it"
flake_with 3 /usr/local/bin/hold-here
three=$(built web flake)
on web enact switch --store-path "$one"
hold web
begin switch web "$three/bin/switch-to-configuration" test
eventually 30 held web
on web sh -c 'printf "idle.service\nno-such.service\n" >> /run/nixos/start-list; echo listed.service >> /run/nixos/restart-list'
signal switch KILL
ends switch 137
let_go web
listed=$(pid_of web listed.service)
on web systemctl stop idle.service
on web "$three/bin/switch-to-configuration" test
says "restarting the following units: listed.service" "starting the following units: idle.service" "no-such.service"
says_not "Failed"
other_pid web listed.service "$listed"
active web idle.service
missing web /run/nixos/start-list
missing web /run/nixos/restart-list

step "left for another system: a note, and nothing more"
on web enact switch --store-path "$one"
hold web
begin switch web "$three/bin/switch-to-configuration" test
eventually 30 held web
on web sh -c 'echo idle.service >> /run/nixos/start-list; echo listed.service >> /run/nixos/restart-list'
signal switch KILL
ends switch 137
let_go web
on web systemctl stop idle.service
listed=$(pid_of web listed.service)
on web enact switch --store-path "$one" --force
says "a switch to '$three' was interrupted; what it left to do is not for this system"
inactive web idle.service
same_pid web listed.service "$listed"
missing web /run/nixos/start-list
missing web /run/nixos/restart-list

step "lists that do not say for which system, as NixOS' own program leaves them: done, and that is said"
on web sh -c 'printf "idle.service\nno-such.service\n" > /run/nixos/start-list; rm -f /run/nixos/lists-system'
on web "$one/bin/switch-to-configuration" dry-activate
says "does not say for which system; it is done on the way to this one" "would start the following units: idle.service" \
    "left over: the new system has no 'no-such.service'; left out"
inactive web idle.service
on web "$one/bin/switch-to-configuration" test
says "does not say for which system; it is done on the way to this one" "starting the following units: idle.service" \
    "left over: the new system has no 'no-such.service'; left out"
says_not "Failed"
active web idle.service
missing web /run/nixos/start-list

step "lists that cannot be read: named, by the dry run as well, and the switch goes on"
on web mkdir /run/nixos/start-list
on web sh -c 'echo keep > /run/nixos/start-list/what; ln -s reload-list /run/nixos/reload-list; mkdir /run/nixos/dry-activation-reload-list'
on web "$one/bin/switch-to-configuration" dry-activate
says "the list '/run/nixos/start-list' cannot be read: Is a directory; what it names is left out" \
    "the list '/run/nixos/reload-list' cannot be read: Too many levels of symbolic links" \
    "the list '/run/nixos/dry-activation-reload-list' cannot be read: Is a directory"
exists web /run/nixos/start-list/what
on web "$one/bin/switch-to-configuration" test
says "the list '/run/nixos/start-list' cannot be read: Is a directory; what it names is left out" \
    "the list '/run/nixos/reload-list' cannot be read"
is "$(contents web /run/nixos/start-list.set-aside/what)" keep
on web sh -c 'mkdir /run/nixos/restart-list; rm -r /run/nixos/*.set-aside'
on web enact switch --store-path "$one" --force
says "the list '/run/nixos/restart-list' cannot be read: Is a directory"

step "a list of the activation script's own that cannot be read: what it wants is lost, and that is its failure"
configuration web unreadable << 'NIX'
{ system.activationScripts.lists = "mkdir -p /run/nixos/activation-restart-list"; }
NIX
unreadable=$(built web unreadable)
before=$(running_of web)
refused web 3 enact switch --store-path "$unreadable"
says "What the activation script wants is lost: the list '/run/nixos/activation-restart-list' cannot be read: Is a directory" "Rolled back"
is "$(running_of web)" "$before"
refused web 2 "$unreadable/bin/switch-to-configuration" test
says "the list '/run/nixos/activation-restart-list' cannot be read: Is a directory"
on web sh -c 'rm -rf /run/nixos/*.set-aside'
on web "$before/bin/switch-to-configuration" test

step "units of no system in a reload list: what systemd cannot reload is restarted, with the reason"
on web sh -c 'for unit in bare able; do printf "[Service]\nExecStart=/bin/sleep 1001\n" > "/run/systemd/system/$unit.service"; done
    echo ExecReload=/bin/true >> /run/systemd/system/able.service
    systemctl daemon-reload; systemctl start bare able'
flake_with 4 "printf 'bare.service\nable.service\n' > /run/nixos/activation-reload-list"
bare=$(pid_of web bare.service)
able=$(pid_of web able.service)
on web sh -c 'printf "bare.service\nable.service\n" > /run/nixos/reload-list; rm -f /run/nixos/lists-system'
on web enact plan --flake /root/flake --json
is "$(said | jq -c '[(.restart[] | select(.unit == "bare.service") | .why[].rule), (.reload[] | select(.unit == "able.service") | .why[].rule)]')" \
    '["no-exec-reload","left-over","left-over"]'
on web "$one/bin/switch-to-configuration" dry-activate
says "would reload the following units: able.service" "would restart the following units: bare.service"
on web rm /run/nixos/reload-list
four=$(built web flake)
on web "$four/bin/switch-to-configuration" test
says "reloading the following units: able.service" "restarting the following units: bare.service"
says_not "Failed"
other_pid web bare.service "$bare"
same_pid web able.service "$able"
