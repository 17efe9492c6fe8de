# Users' service managers follow a switch, side by side and after the system's own units: a changed user
# unit is restarted, others keep their process; a wedged session is a warning that names the user.
# It may take 240 s.

needs enact
host web

step "alice and bob are logged in, with a user service each from the system"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web loginctl enable-linger alice
on web loginctl enable-linger bob
eventually 10 active web user@1000.service
eventually 10 active web user@1001.service
on web enact switch --flake /root/flake#web
eventually 10 on alice@web systemctl --user is-active companion.service
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
