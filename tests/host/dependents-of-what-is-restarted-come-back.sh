# A service is changed, and another one, unchanged, that requires it and that no target wants, goes down with it:
# it runs again after the switch, as planned, and so does what was reloading or waiting to be started again. One that
# only a person may start is told of, and stays down.

needs enact
host web

flake() {
    configuration web flake << NIX
{ systemd.services.base = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  systemd.services.middle = { requires = [ "base.service" ]; after = [ "base.service" ]; serviceConfig.ExecStart = "/bin/sleep 2001"; };
  systemd.services.above = { bindsTo = [ "middle.service" ]; after = [ "middle.service" ]; serviceConfig.ExecStart = "/bin/sleep 2002"; };
  systemd.services.part = { partOf = [ "base.service" ]; serviceConfig.ExecStart = "/bin/sleep 2003"; };
  systemd.services.busy = { requires = [ "base.service" ]; after = [ "base.service" ]; serviceConfig = { ExecStart = "/bin/sleep 2006"; ExecReload = "/bin/sleep 600"; }; };
  systemd.services.slow = { requires = [ "base.service" ]; after = [ "base.service" ];
    serviceConfig = { Restart = "always"; RestartSec = 300; ExecStart = "/bin/sh -c 'test -e /run/once && exec sleep infinity; touch /run/once; exit 1'"; }; };
  systemd.services.idle = { partOf = [ "base.service" ]; serviceConfig.ExecStart = "/bin/sleep 2004"; };
  systemd.services.by-hand = { partOf = [ "base.service" ]; unitConfig.RefuseManualStart = true; serviceConfig.ExecStart = "/bin/sleep 2005"; }; }
NIX
}

flake 1001
on web enact switch --flake /root/flake
on web systemctl start above.service part.service busy.service
on web systemctl start slow.service
on web systemctl reload --no-block busy.service
eventually 30 state_is web busy.service reloading
eventually 30 state_is web slow.service activating
on web systemd-run --wait --property=Wants=by-hand.service /bin/true
eventually 30 active web by-hand.service
above=$(pid_of web above.service)

flake 1002
on web enact dry-activate --flake /root/flake
says above.service middle.service part.service "goes down with what it requires"
says_not idle.service
same_pid web above.service "$above"
on web enact switch --flake /root/flake
says "'by-hand.service' goes down on the way"
for unit in middle above part busy slow; do active web "$unit.service"; done
other_pid web above.service "$above"
inactive web idle.service
inactive web by-hand.service

# Back again it is the same.
above=$(pid_of web above.service)
on web enact rollback
for unit in middle above part; do active web "$unit.service"; done
other_pid web above.service "$above"

step "in a user's manager, too; and one that changed and is to be left as it is, which goes down all the same"
# users N: where N is how long the changed ones sleep
users() {
    configuration web users << NIX
{ systemd.user.services.base = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  systemd.user.services.above = { requires = [ "base.service" ]; after = [ "base.service" ]; serviceConfig.ExecStart = "/bin/sleep 3001"; };
  systemd.services.ground = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  systemd.services.left = { restartIfChanged = false; requires = [ "ground.service" ]; after = [ "ground.service" ]; serviceConfig.ExecStart = "/bin/sleep 4$1"; }; }
NIX
}
on web loginctl enable-linger alice
eventually 30 active web user@1000.service
users 1001
on web enact switch --flake /root/users
eventually 30 on alice@web systemctl --user start above.service
on web systemctl start left.service
above=$(ask alice@web systemctl --user show --value --property MainPID above.service)
users 1002
on web enact plan --flake /root/users --json
is "$(said | jq -r '.users[] | select(.name == "alice").start[] | select(.hidden | not).unit' | xargs)" "above.service base.service"
is "$(said | jq -r '.skip | length')" 0
on web enact switch --flake /root/users
is "$(ask alice@web systemctl --user is-active above.service)" active
is_not "$(ask alice@web systemctl --user show --value --property MainPID above.service)" "$above"
active web left.service
on web pgrep -f "sleep 41002"
