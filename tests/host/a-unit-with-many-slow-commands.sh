# A unit may take its timeout for each of its commands, as systemd lets it: one that takes three seconds of four
# for a dozen of them is waited for, when it starts and when it stops, and the limit that is told says so.
# It may take 300 s.

needs enact
host web

# commands N KEY: so many of three seconds each
commands() {
    printf '%s = [ ' "$2"
    printf '"/bin/sleep 3" %.0s' $(seq "$1")
    printf ']; '
}
limits='TimeoutStartSec = 4; TimeoutStopSec = 4;'

step "a dozen commands before a start"
configuration web flake << NIX
{ systemd.services.slow = { wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep infinity"; $(commands 12 ExecStartPre) $(commands 12 ExecStop) $limits }; }; }
NIX
on web enact switch --flake /root/flake
# 13 commands, and were one of them to fail 12 to stop it and 4 times a wait for processes to end; and half a
# minute each for what systemd itself takes
says "waiting for slow.service to start" "of at most 176 s"
says_not "slow.service: timeout"
active web slow.service

step "and a dozen to stop it"
configuration web flake <<< "{ }"
on web enact switch --flake /root/flake
says "waiting for slow.service to stop" "of at most 94 s"
says_not "slow.service: timeout"
is "$(unit_property web slow.service ActiveState)" inactive
on web systemctl is-system-running

step "the judge, too, waits for one whose job nobody here has asked for"
configuration web flake << NIX
{ systemd.services.puller = { wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/true"; }; };
  systemd.services.slow = { wantedBy = [ "puller.service" ];
    serviceConfig = { ExecStart = "/bin/sleep infinity"; $(commands 5 ExecStartPre) $limits }; }; }
NIX
on web enact switch --flake /root/flake
says "waiting for slow.service to start"
active web slow.service
