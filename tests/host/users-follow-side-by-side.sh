# Users' service managers follow a switch, side by side and after the system's own units: a changed user
# unit is restarted, others keep their process; a wedged session is a warning that names the user.

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

step "a wedged session does not hold up the others"
configuration web flake << 'NIX'
{ systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1003"; };
  systemd.user.services.loyal = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web pkill -STOP -u bob -f 'systemd --user'
begin switch web enact switch --flake /root/flake#web
eventually 60 on alice@web systemctl --user is-active companion.service
ends switch 0
says "bob"
on web pkill -CONT -u bob -f 'systemd --user'
