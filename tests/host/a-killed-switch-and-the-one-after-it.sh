# Somebody switches again at once after an engine was killed: what it had begun is brought to its end
# first, then the new switch is made, and a dead man's switch that comes late finds nothing to do. Where
# a rollback was declined, the end is the new system.

needs enact
host web

system() {
    configuration web "$1" << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  $2
}
NIX
    built web "$1"
}

# runs NAME GENERATIONS
runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}" "the running system"
    is "$(profile_of web)" "${!1}" "the boot default"
    is "$(generations_of web | xargs)" "$2" "the generations"
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    active web greeter.service
    same_pid web steady.service "$steady"
    eventually 30 at_its_end web
    on web systemctl is-system-running
}

# outcomes: the exit codes of the history, oldest first
outcomes() {
    ask web sh -c 'cat /var/lib/enact/history/*.json' | jq -r .exit | xargs
}

# under_way OPTION...: the switch to held is, and its dead man's switch stands still
under_way() {
    hold web
    begin switch web enact switch "$@" --store-path "$held"
    eventually 30 held web
}

steady=$(pid_of web steady.service)
one=$(system one "")
two=$(system two "")
held=$(system held 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
on web enact switch --store-path "$one"

step "the one after it comes first"
under_way
dead_man=$(dead_man_of web)
on web systemctl kill --signal=STOP "$dead_man"
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
on web enact switch --store-path "$two"
says "was interrupted in phase 'activate'" "Rolled back: '$one' runs again" "done: '$two' runs"
on web systemctl kill --signal=CONT "$dead_man"
ends switch 3
says "Rolled back: '$one' runs again"
runs two "1 2 3"
is "$(outcomes)" "0 3 0"
is "$(roots_of web)" "booted failed/${held##*/} good"

step "the dead man's switch comes first: the other one is told who is at it"
hold web
begin switch web enact switch --store-path "$held"
eventually 30 held web
on web systemctl kill --signal=KILL "$(engine_of web)"
attempt web enact switch --store-path "$one"
case $code in
0) says "done: '$one' runs" ;;
6) says "Another switch is under way" ;;
*) fail "neither done nor busy: $code" ;;
esac
let_go web
ends switch 3
on web enact switch --store-path "$one"
runs one "1 2 3 4"

step "with --no-rollback the dead man's switch goes forwards"
under_way --no-rollback
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
ends switch 4
says "was interrupted in phase 'activate'" "'$held' is active all the same (--no-rollback)"
runs held "1 2 3 4 5"

step "and so does the next switch"
on web enact switch --store-path "$one"
under_way --no-rollback
on web systemctl kill --signal=STOP "$(dead_man_of web)"
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
on web enact switch --store-path "$held"
says "'$held' is active all the same (--no-rollback)" "Nothing to do: '$held' runs already and is the boot default"
on web systemctl kill --signal=CONT "$(dead_man_of web)"
ends switch 4
runs held "$(generations_of web | xargs)"
