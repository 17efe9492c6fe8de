# The engine is killed, killed with all its processes, stopped, or the whole host is paused: its dead
# man's switch ends what it began, and the old system runs again; whoever asked is told. One that was
# only paused together with the host goes on.

needs enact
host web

configuration web good << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web enact switch --flake /root/good
good=$(running_of web)

configuration web new << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
new=$(built web new)

units_named() {
    ask web systemctl list-units --plain --no-legend --all "$1" | cut -d' ' -f1
}

engine_unit() {
    units_named 'enact-2*.service'
}

dead_man_unit() {
    units_named 'enact-dead-man-*.service'
}

# under_way: the switch to the new system is held in its activation
under_way() {
    hold web
    begin switch web enact switch --store-path "$new"
    eventually 30 held web
    inactive web greeter.service
}

# good_again: the old system runs, and nothing else is left
good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    active web greeter.service
    [[ $(unit_property web greeter.service ExecStart) == *"sleep 1001"* ]] || fail "greeter is not the old one"
    missing web /var/lib/enact/transaction.json
    missing web /nix/var/nix/gcroots/enact/candidate
    on web systemctl is-system-running
    eventually 30 is "$(units_named 'enact-*2*.service')" ""
}

step "its main process is killed"
under_way
on web systemctl kill --kill-who=main --signal=KILL "$(engine_unit)"
ends switch 3
says "the engine has died" "was interrupted in phase 'activate'" "Rolled back: '$good' runs again"
good_again
let_go web

step "killed with its whole unit"
under_way
on web systemctl kill --signal=KILL "$(engine_unit)"
ends switch 3
says "Rolled back: '$good' runs again"
good_again
let_go web
on web enact status
says "exit code 3" "Rolled back"

step "killed, and its dead man's switch with it: that one is started anew"
under_way
engine=$(engine_unit)
dead_man=$(dead_man_unit)
on web sh -c 'kill -STOP $(systemctl show -P MainPID "$1")' - "$dead_man"
on web systemctl kill --signal=KILL "$engine"
on web systemctl kill --signal=KILL "$dead_man"
ends switch 3
says "Rolled back: '$good' runs again"
good_again
let_go web

step "its dead man's switch is killed alone: it is there again, and the switch goes on"
under_way
dead_man=$(dead_man_unit)
on web systemctl kill --signal=KILL "$dead_man"
eventually 30 active web "$dead_man"
let_go web
ends switch 0
is "$(running_of web)" "$new"
on web enact rollback
is "$(running_of web)" "$good"

step "what the new system has broken, and what had failed before, is known to whoever comes after"
configuration web breaking << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.services.fragile = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c 'test ! -e /var/tmp/break'"; };
  };
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c 'test ! -e /var/tmp/broken'"; };
  };
}
NIX
on web enact switch --flake /root/breaking
breaking=$(running_of web)
on web touch /var/tmp/broken
refused web 1 systemctl restart broken.service
configuration web broken << 'NIX'
{
  systemd.services.fragile = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c 'touch /var/tmp/break; false'"; };
  };
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/false"; };
  };
  systemd.services.holder = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/usr/local/bin/hold-here"; };
  };
}
NIX
hold web
begin switch web enact switch --flake /root/broken
eventually 30 held web
eventually 30 failed web fragile.service
on web systemctl kill --signal=KILL "$(engine_unit)"
let_go web
ends switch 5
says "Going back to '$breaking' failed, too: A unit failed: fragile.service" "as before this switch: broken.service"
is "$(running_of web)" "$breaking"
is "$(profile_of web)" "$breaking"
on web enact status
says "interrupted"
on web rm /var/tmp/break
on web enact switch --flake /root/breaking
active web fragile.service
missing web /var/lib/enact/transaction.json
good=$breaking

step "stopped in the middle: taken for dead after half a minute"
under_way
on web systemctl kill --kill-who=main --signal=STOP "$(engine_unit)"
ends switch 3
says "gives no sign of life" "Rolled back: '$good' runs again"
is "$(profile_of web)" "$good"
active web greeter.service
missing web /var/lib/enact/transaction.json
let_go web
