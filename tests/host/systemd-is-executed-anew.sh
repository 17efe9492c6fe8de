# A changed system.conf, or another systemd, has PID 1 execute itself anew in mid-switch: the switch goes on,
# no process is lost, and a system where nothing of that changed does without.

needs enact
host web

# flake_with N CONFIGURATION
flake_with() {
    configuration web flake << NIX
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
  ${2:-} }
NIX
}
executions() {
    journal web _PID=1 | grep -cx "Reexecuting\." || true
}

flake_with 1000
on web enact switch --flake /root/flake
steady=$(pid_of web steady.service)
before=$(executions)

step "nothing of it changed"
flake_with 1001
on web enact switch --flake /root/flake
says_not "restarting systemd"
is "$(executions)" "$before" "executions of PID 1"

step "another system.conf: it is said in the plan, and done"
flake_with 1002 'systemd.settings.Manager.DefaultTimeoutStopSec = "77s";'
on web enact plan --flake /root/flake --json
is "$(said | jq .reexec)" true
greeter=$(pid_of web greeter.service)
on web enact switch --flake /root/flake
says "restarting systemd" "start   greeter.service" "done:"
is "$(executions)" $((before + 1)) "executions of PID 1"
is "$(ask web systemctl show --property DefaultTimeoutStopUSec --value)" "1min 17s"
other_pid web greeter.service "$greeter"
same_pid web steady.service "$steady"
on web systemctl is-system-running

step "and back"
on web enact rollback
says "restarting systemd"
is "$(executions)" $((before + 2)) "executions of PID 1"
same_pid web steady.service "$steady"
is "$(ask web systemctl show --property DefaultTimeoutStopUSec --value)" "1min 30s"

step "somebody else has it executed anew while jobs run, and their ends may be missed"
flake_with 1003 'systemd.services.slow = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/usr/local/bin/hold-here"; }; };'
sed -i '/activationScripts.hold/d' "$(host_dir web)/root/root/flake/host.nix"
hold web
begin switch web enact switch --flake /root/flake
eventually 30 held web
on web systemctl daemon-reexec
on web systemctl daemon-reexec
let_go web
ends switch 0
says "done:"
active web slow.service
same_pid web steady.service "$steady"

step "the drop-in says it in NixOS' words"
flake_with 1004 'systemd.settings.Manager.DefaultTimeoutStopSec = "78s";'
system=$(built web flake)
on web "$system/bin/switch-to-configuration" dry-activate
says "would restart systemd"
on web "$system/bin/switch-to-configuration" test
says "restarting systemd..."
is "$(ask web systemctl show --property DefaultTimeoutStopUSec --value)" "1min 18s"
