# The one who brings an interrupted switch to its end is killed or stopped over it, too: the dead man's
# switch of the interrupted one is there again and ends it, and systemd has that one begin anew where it
# hangs itself. A recovery by hand is its work as well, and outlives whoever asked.
# It may take 300 s.

needs enact
host web

configuration web good << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
on web enact switch --flake /root/good
good=$(running_of web)
configuration web new << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
new=$(built web new)

# left_open: a switch whose engine and dead man's switch are both gone
left_open() {
    hold web
    begin first web enact switch --store-path "$new"
    eventually 30 held web
    dead_man=$(dead_man_of web)
    engine=$(engine_of web)
    on web systemctl stop "$dead_man"
    on web systemctl kill --signal=KILL "$engine"
    ends first 5
    eventually 30 is "$(engine_of web)$(dead_man_of web)" ""
    exists web /var/lib/enact/transaction.json
    let_go web
}

# on_the_way_back NAME COMMAND...: somebody recovers, and is held over it
on_the_way_back() {
    left_open
    hold web
    begin "$1" web "${@:2}"
    eventually 30 held web
    active web "$dead_man"
}

good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    active web greeter.service
    [[ $(unit_property web greeter.service ExecStart) == *"sleep 1001"* ]] || fail "greeter is not the old one"
    eventually 30 at_its_end web
    on web systemctl is-system-running
    id=${engine#enact-}
    is "$(ask web jq -c .exit "/var/lib/enact/history/${id%.service}.json")" 3
}

main_pid() {
    unit_property web "$1" MainPID
}

step "the next engine is killed over it"
on_the_way_back second enact switch --store-path "$new"
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
ends second 1
says "ended before it changed anything"
eventually 30 missing web /var/lib/enact/transaction.json
good_again

step "the next engine is stopped over it: ended after half a minute"
on_the_way_back second enact switch --store-path "$new"
on web systemctl kill --kill-who=main --signal=STOP "$(engine_of web)"
let_go web
ends second 1
eventually 30 missing web /var/lib/enact/transaction.json
journal_says web "gives no sign of life" -u "$dead_man"
good_again

step "the next engine is well: nobody disturbs it"
on_the_way_back second enact switch --store-path "$new"
let_go web
ends second 0
says "Rolled back: '$good' runs again" "done: '$new' runs"
eventually 30 at_its_end web
on web enact switch --store-path "$good"

step "by hand, and whoever asked is killed: it goes on"
on_the_way_back byhand /usr/libexec/enact/enact-activate recover
signal byhand KILL
ends byhand 137
let_go web
eventually 30 missing web /var/lib/enact/transaction.json
good_again

step "by hand: its dead man's switch is killed, then stopped, and begins anew"
on_the_way_back byhand /usr/libexec/enact/enact-activate recover
pid=$(main_pid "$dead_man")
on web systemctl kill --signal=KILL "$dead_man"
eventually 30 other_pid web "$dead_man" "$pid"
eventually 30 held web
pid=$(main_pid "$dead_man")
on web systemctl kill --kill-who=main --signal=STOP "$dead_man"
eventually 60 other_pid web "$dead_man" "$pid"
let_go web
ends byhand 0
says "was interrupted in phase" "Rolled back: '$good' runs again"
good_again

step "by 'enact cancel'"
left_open
on web enact cancel
says "Rolled back: '$good' runs again"
good_again
refused web 1 enact cancel
