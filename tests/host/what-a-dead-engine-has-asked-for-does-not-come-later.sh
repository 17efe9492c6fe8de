# An engine dies while units wait for others to be started: whoever goes back sees that they will start, and has them
# start by the old definition, or not at all.

needs enact
host web

configuration web old << 'NIX'
{ systemd.services.changed = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
configuration web new << 'NIX'
{
  systemd.services.first = { wantedBy = [ "multi-user.target" ]; before = [ "changed.service" "added.service" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/usr/local/bin/hold-here"; }; };
  systemd.services.changed = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  systemd.services.added = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1003"; };
}
NIX
on web enact switch --flake /root/old
old=$(running_of web)
steady=$(pid_of web steady.service)
system=$(built web new)

step "their jobs wait for one that does not end"
hold web
begin switch web enact switch --store-path "$system"
eventually 30 held web
is "$(unit_property web changed.service ActiveState)" inactive
is_not "$(unit_property web changed.service Job)" "" "the job of changed.service"
dying=$(engine_of web)
on web systemctl kill --kill-who=all --signal=KILL "$dying"

step "the way back cancels them"
ends switch 3
says "was interrupted in phase 'activate'" "Rolled back: '$old' runs again"
let_go web
is "$(running_of web)" "$old"
is "$(ask web cat "/proc/$(pid_of web changed.service)/cmdline" | tr '\0' ' ')" "/bin/sleep 1001 "
inactive web added.service
inactive web first.service
same_pid web steady.service "$steady"
eventually 30 at_its_end web
