# What is well by its own definition condemns no switch: a finished oneshot, an unmet condition, what waits for its
# socket, path or timer, what is masked, what ended by itself. Nor does what had failed before, or fails meanwhile
# for itself; that is told.

needs enact
host web

# evidence: of the last switch
evidence() {
    ask web sh -c 'cat "$(ls /var/lib/enact/history/*.json | tail -n 1)"' | grep -o '"evidence":.*'
}

# shown TEXT...: the evidence of the last switch has each
shown() {
    local text found

    found=$(evidence)
    for text; do
        [[ $found == *"$text"* ]] || fail "the evidence has no '$text': $found"
    done
}

step "what had failed before, and what fails meanwhile for itself"
configuration web one << 'NIX'
{
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'exit 3'"; };
  };
  systemd.services.looping = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sh -c 'exit 3'"; Restart = "always"; RestartSec = "200ms"; };
    startLimitIntervalSec = 0;
  };
}
NIX
refused web 4 enact switch --no-rollback --flake /root/one
configuration web one << 'NIX'
{
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'exit 4'"; };
  };
  systemd.services.looping = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sh -c 'exit 3'"; Restart = "always"; RestartSec = "200ms"; };
    startLimitIntervalSec = 0;
  };
  systemd.services.fresh = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStartPre = "/bin/touch /run/stray"; ExecStart = "/bin/sleep 1001"; }; };
}
NIX
on web systemd-run --unit stray sh -c 'until [ -e /run/stray ]; do sleep 0.1; done; exit 7'
on web enact switch --flake /root/one
says "still not well, as before this switch:" "broken.service" "looping.service"
says "failed meanwhile, without regard to this switch: stray.service" "done:"
failed web broken.service
failed web stray.service
shown '"verdict":"good"' '"bad":[]' '"stray.service"' '"broken.service":"failed: exit-code"'

# well COMMAND: the configuration, and what its socket starts
well() {
    configuration web one << NIX
{
  systemd.services = {
    finished = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };
    remains = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; RemainAfterExit = true; }; };
    unmet = { wantedBy = [ "multi-user.target" ]; unitConfig.ConditionPathExists = "/nowhere"; serviceConfig.ExecStart = "/bin/sleep 1002"; };
    ended = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/true"; };
    timed.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
    listens.serviceConfig.ExecStart = "$1";
    looks.serviceConfig.ExecStart = "/bin/sleep 1003";
    hidden = { enable = false; wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };
  };
  systemd.timers.timed = { wantedBy = [ "timers.target" ]; timerConfig.OnActiveSec = "1h"; };
  systemd.sockets.listens = { wantedBy = [ "sockets.target" ]; socketConfig.ListenStream = "127.0.0.1:8099"; };
  systemd.paths.looks = { wantedBy = [ "paths.target" ]; pathConfig.PathExists = "/nowhere"; };
}
NIX
}

step "each in its own way well"
well "/bin/sleep 1004"
on web enact switch --flake /root/one
says "done:"
says_not "failed" "not well"
active web timed.timer
active web listens.socket
active web looks.path
active web remains.service
inactive web finished.service
inactive web unmet.service
inactive web ended.service
shown '"verdict":"good"' '"why":{}'

step "what its socket had started waits again when it was changed"
on web bash -c ': > /dev/tcp/127.0.0.1/8099'
eventually 30 active web listens.service
well "/bin/sleep 1005"
on web enact switch --flake /root/one
says "done:"
says_not "not well"
inactive web listens.service
shown '"verdict":"good"' '"why":{}'
