# An engine that is stopped while it judges is taken for dead after half a minute, killed, and what it
# began is rolled back. One that is stopped before it has a record is killed, too, so that it never goes on
# unwatched. One that stood still for longer than that because its whole host did goes on, and nobody rolls back.

needs enact
host stopped
host paused
host early

# new HOST: has a system to come from and one to go to
new() {
    configuration "$1" good << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
    configuration "$1" new << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
    on "$1" enact switch --flake /root/good
    new=$(built "$1" new)
}

# paused_for SECONDS: at least
paused_for() {
    [ "$((SECONDS - paused_at))" -ge "$1" ]
}

step "one engine is stopped when its first record is half written"
new early
early=$new
before=$(running_of early)
trace early -y -e trace=fchmod
on early enact switch --store-path "$early"
nth=$(trace_of early | awk '/fchmod\(/ { n[$1]++ } /\/\.transaction\.json/ && !found { print n[$1]; found = 1 }')
trace early -e trace=fchmod -e "inject=fchmod:signal=STOP:when=$nth"
# The root helper writes a file, too.
# shellcheck disable=SC2154  # lib.sh sets what is not set here
on early sed -i "1a [ \"\$1\" = run ] || exec $traced \"\$@\"" "$engine"
begin beginning early enact switch --json --store-path "$before"
# stands_still HOST: the engine's main process is stopped
stands_still() {
    [[ $(ask "$1" cat "/proc/$(pid_of "$1" "$(engine_of "$1")")/status") == *"State:"*[Tt]" ("* ]]
}
eventually 30 stands_still early
missing early /var/lib/enact/transaction.json
active early "$(dead_man_of early)"

step "another engine is stopped while it judges, the third host is paused while it activates"
new stopped
old=$(running_of stopped)
failed=$new
new paused
hold paused
begin pausing paused enact switch --store-path "$new"
begin stopping stopped enact switch --json --store-path "$failed"
eventually 30 held paused
eventually 30 said_so_far stopping '"phase":"judge"'
on stopped systemctl kill --kill-who=main --signal=STOP "$(engine_of stopped)"
pause paused
paused_at=$SECONDS
ended=$(engine_of stopped)

step "the stopped one"
is "$(running_of stopped)" "$failed"
ends stopping 3
says "gives no sign of life" "was interrupted in phase 'judge'" "Rolled back: '$old' runs again"
is "$(running_of stopped)" "$old"
is "$(profile_of stopped)" "$old"
is "$(generations_of stopped | xargs)" "1 2"
[[ $(unit_property stopped greeter.service ExecStart) == *"sleep 1001"* ]] || fail "greeter is not the old one"
is "$(roots_of stopped)" "booted failed/${failed##*/} good"
eventually 30 at_its_end stopped
ended=${ended#enact-}
is "$(ask stopped jq -c .exit "/var/lib/enact/history/${ended%.service}.json")" 3

step "the one without a record"
ends beginning 1
says "gives no sign of life"
is "$(running_of early)" "$early"
is "$(profile_of early)" "$early"
untrace early
eventually 30 at_its_end early
on early enact switch --store-path "$before"

step "the paused host goes on, with its engine and without a rollback"
eventually 40 paused_for 33
resume paused
let_go paused
ends pausing 0
says_not "dead" "Rolled back" "interrupted"
is "$(running_of paused)" "$new"
is "$(profile_of paused)" "$new"
is "$(generations_of paused | xargs)" "1 2 3"
[[ $(unit_property paused greeter.service ExecStart) == *"sleep 1002"* ]] || fail "greeter is not the new one"
eventually 30 at_its_end paused
is "$(journal paused -t enact-activate | grep -c dead-man: || true)" 0 "words of the dead man's switch"
