# What the switch touched or the configuration requires, was well and is not well now, condemns the switch, and the
# old system runs again: also what dies after a while, is restarted again and again, or no longer runs. Where it
# cannot be told, other words are used.

needs enact
host web

# greeter SERVICE [JUDGE]: the greeter's own lines, and the judge's part of enact.json
greeter() {
    configuration web one << NIX
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; startLimitIntervalSec = 0; serviceConfig = { $1 }; };
  system.extraSystemBuilderCmds = ''
    echo '{"version":1,"judge":{${2:-}}}' > \$out/enact.json
  '';
}
NIX
}

# evidence: of the last switch
evidence() {
    ask web sh -c 'cat "$(ls /var/lib/enact/history/*.json | tail -n 1)"' | grep -o '"evidence":.*'
}

# rolled_back VERDICT TEXT...: a switch to what is configured fails, saying each TEXT, and the evidence has the verdict
rolled_back() {
    local found

    refused web 3 enact switch --flake /root/one "${options[@]}"
    says "${@:2}" "Rolled back: '$old' runs again."
    is "$(running_of web)" "$old"
    is "$(profile_of web)" "$old"
    active web greeter.service
    found=$(evidence)
    [[ $found == '"evidence":{"verdict":"'"$1"'"'* ]] || fail "no verdict '$1': $found"
    [[ $found == *'"rollback":{"verdict":"good"'* ]] || fail "the rollback is not good: $found"
}

options=()
greeter 'ExecStart = "/bin/sleep 1001";'
on web enact switch --flake /root/one
old=$(running_of web)

step "one that dies after a second and a half, within the window"
greeter 'ExecStart = "/bin/sh -c \"echo I tried; sleep 1.5; exit 3\"";'
rolled_back bad "A unit failed: greeter.service" "I tried"

step "one that would not within the window, but systemd restarts it: it is watched for longer"
greeter 'ExecStart = "/bin/sh -c \"sleep 3.5; exit 3\""; Restart = "always"; RestartSec = "100ms";'
rolled_back bad "A unit failed: greeter.service"
evidence | grep -E 'restarted (1 time|2 times) since the switch' || fail "the restart is not told: $(evidence)"

step "one that comes up at its second attempt is well"
greeter 'ExecStart = "/bin/sh -c \"mkdir /run/twice && exit 3; exec sleep 1003\""; Restart = "always"; RestartSec = "100ms";' '"window":2'
on web enact switch --flake /root/one
old=$(running_of web)
active web greeter.service
is "$(restarts_of web greeter.service)" 1

step "one that ran and ends at once, though nothing failed"
greeter 'ExecStart = "/bin/true";' '"window":1'
rolled_back bad "A unit is not well: greeter.service (does not run)"

step "still starting is not bad, but nobody can tell"
greeter 'Type = "notify"; ExecStart = "/bin/sleep 1005"; TimeoutStartSec = "infinity";' '"window":1'
options=(--job-timeout 2)
rolled_back "could not tell" "Could not tell whether a unit is well: greeter.service (is still starting after"
refused web 4 enact switch --flake /root/one --job-timeout 2 --no-rollback
says "Could not tell whether a unit is well: greeter.service"
[[ $(evidence) == *'"bad":[],"unknown":["greeter.service"]'* ]] || fail "no such evidence: $(evidence)"
