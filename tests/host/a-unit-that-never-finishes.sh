# A unit that never finishes starting or stopping holds a switch up for a while and no longer: what is waited
# for is told, with its limit; then the job is cancelled, counts as failed, and the host goes back. So it is with who
# waits for somebody else's job; a service that asks systemd for more time has it.
# It may take 300 s.

needs enact
host web

# flake_with LINES: the system with these services
flake_with() {
    configuration web flake <<< "{ systemd.services = { $1 }; }"
}
steady=$(pid_of web steady.service)

step "a changed service that never finishes starting"
flake_with 'slow = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };'
on web enact switch --flake /root/flake
good=$(running_of web)
profile=$(profile_of web)
flake_with 'slow = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep infinity"; }; };'
SECONDS=0
refused web 3 enact switch --flake /root/flake --job-timeout 3
[ "$SECONDS" -lt 20 ] || fail "it took $SECONDS s"
says "waiting for slow.service to start" "of at most 3 s" "slow.service: timeout" "Could not tell whether a unit is well: slow.service (is still starting after"
is "$(running_of web)" "$good"
is "$(profile_of web)" "$profile"
active web slow.service
on web systemctl is-system-running

step "a new one, of which only a target's job is asked for"
flake_with 'slow = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    never = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep infinity"; }; };'
SECONDS=0
refused web 3 enact switch --flake /root/flake --job-timeout 3
[ "$SECONDS" -lt 20 ] || fail "it took $SECONDS s"
says "never.service"
is "$(running_of web)" "$good"
inactive web never.service
on web systemctl is-system-running

step "a oneshot that fails: its last words are shown, once"
configuration web flake << 'NIX'
{ systemd.services.speaks = { wantedBy = [ "multi-user.target" ];
    script = "echo the disk is on fire; exit 3"; serviceConfig.Type = "oneshot"; }; }
NIX
refused web 3 enact switch --flake /root/flake
says "speaks.service is failed (exit-code); its last words:" "the disk is on fire" "A unit failed: speaks.service"
is "$(running_of web)" "$good"

step "somebody else's job, begun before the switch, is no reason to wait for ever, nor ended"
# kept SECONDS: a service that sleeps for so long
kept() {
    flake_with "kept = { wantedBy = [ \"multi-user.target\" ]; serviceConfig.ExecStart = \"/bin/sleep $1\"; };"
}
kept 1001
on web enact switch --flake /root/flake
good=$(running_of web)
write web /run/systemd/system/foreign.service << 'END'
[Unit]
DefaultDependencies=no
Before=multi-user.target kept.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sleep infinity
END
on web systemctl daemon-reload
on web systemctl start --no-block foreign.service
eventually 30 state_is web foreign.service activating
foreign=$(invocation_of web foreign.service)
kept 1002
SECONDS=0
refused web 5 enact switch --flake /root/flake --job-timeout 3
[ "$SECONDS" -lt 40 ] || fail "it took $SECONDS s"
says "waiting for foreign.service to start" "of at most 3 s" "start   kept.service: timeout" "Going back to '$good' failed, too"
state_is web foreign.service activating
is "$(invocation_of web foreign.service)" "$foreign"
on web systemctl stop foreign.service
on web enact switch --store-path "$good" --force
active web kept.service

step "a service that extends its own timeout, for longer than its limits add up to"
write web /usr/local/bin/extends << 'END'
#!/bin/sh
i=0
while [ $i -lt "$1" ]; do
    i=$((i + 1))
    systemd-notify EXTEND_TIMEOUT_USEC=6000000
    sleep 1
done
systemd-notify --ready
exec sleep 1001
END
on web chmod +x /usr/local/bin/extends
flake_with 'extends = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "notify"; NotifyAccess = "all"; TimeoutStartSec = 2; TimeoutStopSec = 2;
    ExecStart = "/usr/local/bin/extends 80"; }; };'
SECONDS=0
on web enact switch --flake /root/flake
[ "$SECONDS" -gt 75 ] || fail "it took no more than $SECONDS s"
active web extends.service

step "one that never finishes stopping, and so cannot run again either: that is said, too"
flake_with 'slow = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    clings = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sleep 1001"; ExecStop = "/bin/sleep 2001"; TimeoutStopSec = "infinity"; }; };'
on web enact switch --flake /root/flake
good=$(running_of web)
flake_with 'slow = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };'
SECONDS=0
refused web 5 enact switch --flake /root/flake --job-timeout 3
[ "$SECONDS" -lt 30 ] || fail "it took $SECONDS s"
says "waiting for clings.service to stop" "of at most 3 s" "stop    clings.service: timeout" "Going back to '$good' failed, too"
is "$(running_of web)" "$good"
same_pid web steady.service "$steady"

step "when it has stopped at last, a switch puts all of it right"
on web pkill -fx '/bin/sleep 2001'
eventually 30 failed web clings.service
on web enact switch --store-path "$good" --force
active web clings.service
same_pid web steady.service "$steady"
