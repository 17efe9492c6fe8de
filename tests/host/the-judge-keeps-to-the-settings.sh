# The judge keeps to what the new system says in its enact.json: for how long units are watched, which must be active,
# whether there is a way back at all. A file that cannot be read changes nothing.

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
greeter 'ExecStart = "/bin/sleep 1001";' '"window":1'
on web enact switch --flake /root/one
old=$(running_of web)

step "a window that was set is kept to"
greeter 'ExecStart = "/bin/sh -c \"sleep 3.5; exit 3\"";' '"window":4'
rolled_back bad "A unit failed: greeter.service"
greeter 'ExecStart = "/bin/sh -c \"sleep 4; exec sleep 1002\""; Restart = "always";' '"window":0.5'
SECONDS=0
on web enact switch --flake /root/one
[ "$SECONDS" -lt 10 ] || fail "it took $SECONDS s"
old=$(running_of web)

step "declared units must be active, whatever else they are"
greeter 'ExecStart = "/bin/sleep 1004";' '"window":1,"units":["greeter.service","nobody.service"]'
rolled_back bad "A unit is not well: nobody.service (is not there)"
greeter 'ExecStart = "/bin/sleep 1004";' '"window":1,"units":["greeter.service","rescue.service"]'
rolled_back bad "A unit is not well: rescue.service (does not run)"
greeter 'ExecStart = "/bin/sleep 1004";' '"window":1,"units":["greeter.service"]'
on web enact switch --flake /root/one
old=$(running_of web)

step "settings that cannot be read change nothing, and what a newer module says is told"
greeter 'ExecStart = "/bin/sleep 1006";' '"window":"long"'
snapshot web
refused web 1 enact switch --flake /root/one
says "enact.json': 'judge.window' is not a number of seconds up to 3600. Nothing was changed."
unchanged web
greeter 'ExecStart = "/bin/sleep 1006";' '"window":1,"mood":1'
on web enact switch --flake /root/one
says "note: 'judge.mood' in enact.json is not known to this enact, ignoring"

step "a system can decline the way back itself"
configuration web one << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };
  system.extraSystemBuilderCmds = ''
    echo '{"version":1,"judge":{"window":1},"rollback":{"automatic":false}}' > $out/enact.json
  '';
}
NIX
old=$(running_of web)
refused web 3 enact switch --flake /root/one --confirm 5
says "A unit failed: greeter.service" "Rolled back: '$old' runs again."

step "--confirm asks for it all the same; the system's own time for a word asks nobody then"
configuration web kept << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1007"; };
  system.extraSystemBuilderCmds = ''
    echo '{"version":1,"judge":{"window":1,"confirm":3600},"rollback":{"automatic":false}}' > $out/enact.json
  '';
}
NIX
refused web 3 enact switch --flake /root/kept --confirm 1
says "'enact confirm' within 1 s" "Nobody confirmed" "Rolled back: '$old' runs again."
is "$(running_of web)" "$old"
is "$(profile_of web)" "$old"
SECONDS=0
on web enact switch --flake /root/kept
says_not "enact confirm"
[ "$SECONDS" -lt 60 ] || fail "it took $SECONDS s"
is "$(profile_of web)" "$(built web kept)"

step "kept all the same"
refused web 4 enact switch --flake /root/one
says "A unit failed: greeter.service" "is active all the same (its rollback.automatic is false)"
is "$(running_of web)" "$(built web one)"
