# After a switch: which units were touched, what takes effect only after a reboot, the words of what has failed,
# and the next command to type. Programs get none of these words.
# It may take 240 s.

needs enact
host web

configuration web one << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
configuration web two << 'NIX'
{ boot.kernelParams = [ "quiet" "panic=7" ];
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; stopIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1002"; }; }
NIX
configuration web bad << 'NIX'
{ systemd.services.bad = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'echo last words; exit 1'"; }; }; }
NIX

step "a test: how it stays"
on web enact test --flake /root/one#web
says_on_stderr "newly running: greeter.service" "next: 'enact switch' keeps it; a reboot undoes it"

step "a switch that is whole has no next word; one whose kernel is started otherwise has"
on web enact switch --flake /root/one#web
says_not "next:"
on web enact switch --flake /root/two#web
says_on_stderr "restart greeter.service" "in effect after a reboot: " "kernel-params" "next: reboot"
on web enact switch --json --flake /root/one#web
says_not "next:"

step "a boot"
on web enact boot --flake /root/two#web
says_on_stderr "next: reboot"

step "a failed switch: what failed said last, and where all of it is"
refused web 3 enact switch --flake /root/bad#web
says_on_stderr "bad.service is failed" "last words" "next: 'enact log 2"
id=$(sed -n "s/.*'enact log \([0-9-]*\)'.*/\1/p" "$place/last/err")
on web enact log "$id"
says "bad.service"

step "where a rollback was declined"
refused web 4 enact switch --flake /root/bad#web --no-rollback
says_on_stderr "next: mend what has failed, or 'enact rollback'"
on web enact rollback
says_on_stderr "done:"

step "somebody else is at it"
hold web
configuration web slow << 'NIX'
{ system.activationScripts.wait.text = "/usr/local/bin/hold-here"; }
NIX
begin slow web enact switch --flake /root/slow#web
eventually 60 held web
refused web 6 enact switch --flake /root/one#web
says_on_stderr "next: 'enact status' shows it; 'enact cancel' ends a switch"
let_go web
ends slow 0
