# Users' service managers follow a switch, side by side and after the system's own units: a changed user
# unit is restarted, others keep their process; a wedged session is a warning that names the user. Told to stop
# meanwhile, the switch goes back, and what was stopped in a session runs again.
# It may take 300 s.

needs enact
host web

step "alice and bob are logged in, with a user service each from the system"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web loginctl enable-linger alice
on web loginctl enable-linger bob
eventually 30 active web user@1000.service
eventually 30 active web user@1001.service
on web enact switch --flake /root/flake#web
eventually 30 on alice@web systemctl --user is-active companion.service
on bob@web systemctl --user is-active companion.service

step "a changed user unit is planned, restarted, and no other"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
loyal=$(ask alice@web systemctl --user show --value --property MainPID loyal.service)
companion=$(ask alice@web systemctl --user show --value --property MainPID companion.service)
on web enact plan --flake /root/flake#web --json
is "$(said | jq -r '[.users[] | select(.name == "alice" or .name == "bob") | .stop[].unit] | join(" ")')" "companion.service companion.service"
on web enact switch --flake /root/flake#web
says "alice: " "bob: " "companion.service"
is "$(ask alice@web systemctl --user show --value --property MainPID loyal.service)" "$loyal"
is_not "$(ask alice@web systemctl --user show --value --property MainPID companion.service)" "$companion"
is "$(ask bob@web systemctl --user is-active companion.service)" active

step "a failing user unit is a warning that names the user, and condemns nothing"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web enact switch --flake /root/flake#web
says "failed in the session of alice: companion.service"

# endless SECONDS PROGRAM: a service that sleeps for so long and is wanted by nothing, and a oneshot that runs the program
endless() {
    configuration web flake << NIX
{ systemd.user.services.companion = { serviceConfig.ExecStart = "/bin/sleep $1"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.user.services.never = { stopIfChanged = false; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "$2"; }; }; }
NIX
}

step "while a session's unit does not finish, the switch can be cancelled, and goes back in the session, too"
endless 1011 /bin/true
on web enact switch --flake /root/flake#web
good=$(running_of web)
on alice@web systemctl --user start companion.service never.service
endless 1012 "/bin/sleep infinity"
begin switch web enact switch --flake /root/flake#web
eventually 40 on alice@web pgrep -u alice -x -f "/bin/sleep infinity"
eventually 30 said_so_far switch "s of at most 600 s"
SECONDS=0
on web enact cancel
[ "$SECONDS" -lt 30 ] || fail "it took $SECONDS s"
says "cancelled:" "'$good' runs again"
ends switch 3
says "told to stop"
says_not "the session of alice could not follow"
is "$(running_of web)" "$good"
is "$(ask alice@web systemctl --user is-active companion.service)" active
on alice@web pgrep -u alice -x -f "/bin/sleep 1011"
refused alice@web 1 pgrep -u alice -x -f "/bin/sleep infinity"

step "where nobody cancels it, its job is, and the rest is done"
on web enact switch --flake /root/flake#web --job-timeout 4
says "never.service: timeout" "failed in the session of alice: never.service"
is "$(ask alice@web systemctl --user is-active companion.service)" active
on alice@web pgrep -u alice -x -f "/bin/sleep 1012"
on alice@web systemctl --user stop never.service

# wedged USER: a system whose activation script stops the user's service manager in its tracks
wedged() {
    configuration web flake << NIX
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1004"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  system.activationScripts.wedge = "/usr/bin/pkill -STOP -u $1 -f 'systemd --user'"; }
NIX
}

# runs USER SECONDS: the user's companion is a sleep of so many seconds
runs() {
    ask "$1@web" pgrep -u "$1" -x -f "/bin/sleep $2"
}

step "a session that is wedged from the beginning does not hold up the others"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1003"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web pkill -STOP -u bob -f 'systemd --user'
on web enact switch --flake /root/flake#web
says "the session of bob could not follow: its service manager did not answer before the switch"
says_not "the session of alice could not follow"
runs alice 1003
on web pkill -CONT -u bob -f 'systemd --user'

step "nor does one that wedges in mid-switch, though it is the first in order: the other is through while it is waited for"
wedged alice
begin switch web enact switch --flake /root/flake#web
eventually 40 runs bob 1004
is_not "$(engine_of web)" "" "the switch that still waits for alice"
ends switch 0
says "the session of alice could not follow" "note: alice: Cannot reach systemd"
says_not "the session of bob could not follow"
on web pkill -CONT -u alice -f 'systemd --user'
at_its_end web
