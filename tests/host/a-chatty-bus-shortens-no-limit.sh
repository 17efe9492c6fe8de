# Limits are measured by the clock: while systemd has something to say all the time, a unit that never
# finishes starting still gets all of its time, and not a moment less.

needs enact
host web

configuration web flake << 'NIX'
{ systemd.services.chatter.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; }
NIX
on web enact switch --flake /root/flake
on web systemd-run --quiet --unit noise sh -c 'while :; do systemctl start chatter.service; done'
configuration web flake << 'NIX'
{ systemd.services.chatter.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
  systemd.services.endless = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep infinity"; }; }; }
NIX
refused web 3 enact switch --flake /root/flake --job-timeout 3 --json
is "$(said | jq -s '[.[] | select(.event == "wait" and .unit == "endless.service") | .limit] | unique == [3]')" true
is "$(said | jq -s '[.[] | select(.event == "job-done" and .job == "start" and .unit == "endless.service") | .seconds >= 3] | all and length > 0')" true

step "by the drop-in, whose limits of NixOS' own are counted in messages; it ends, however long the noise lasts"
configuration web flake << 'NIX'
{ systemd.services.chatter.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
  systemd.services.endless = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep infinity"; }; };
  system.extraSystemBuilderCmds = "printf '{\"version\":1,\"jobs\":{\"timeout\":4}}' > enact.json"; }
NIX
system=$(built web flake)
SECONDS=0
refused web 4 "$system/bin/switch-to-configuration" test
says "waiting to start endless.service: " "s of at most 4 s"
[ "$SECONDS" -ge 4 ] || fail "the limit of four seconds was over after $SECONDS s"
[ "$SECONDS" -le 30 ] || fail "it took $SECONDS s"
active web noise.service
on web systemctl stop noise.service
