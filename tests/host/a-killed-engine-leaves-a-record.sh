# The engine is killed between two systems: it cannot say how it ended, and that is said; the record on
# disk tells how far it came, and a switch to the old system puts right what was stopped.

needs enact
host web

configuration web good << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
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

engine_unit() {
    ask web systemctl list-units --plain --no-legend 'enact-2*.service' | cut -d' ' -f1
}

# under_way: the switch to the new system is held in its activation
under_way() {
    hold web
    begin switch web enact switch --store-path "$new"
    eventually 20 held web
    inactive web greeter.service
}

# good_again: the old system runs, and nothing else is left
good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    active web greeter.service
    [[ $(unit_property web greeter.service ExecStart) == *"sleep 1001"* ]] || fail "greeter is not the old one"
    missing web /var/lib/enact/transaction.json
    missing web /nix/var/nix/gcroots/enact/candidate
    on web systemctl is-system-running
}

under_way
on web systemctl kill --signal=KILL "$(engine_unit)"
ends switch 5
says "'enact status'"
on bob@web enact status
says "interrupted" "$new" "activate"
says_not "under way"
is "$(profile_of web)" "$good"
let_go web

step "a switch that is refused has put nothing right, nor has one that only boots: it stays known"
refused web 1 enact switch --store-path /root
refused web 1 enact switch --store-path /root/nowhere
on web enact boot --store-path "$new"
on web enact boot --store-path "$good"
on bob@web enact status
says "interrupted" "$new" "activate"
inactive web greeter.service

on web enact switch --flake /root/good
good_again
on web enact status
says_not "interrupted"
