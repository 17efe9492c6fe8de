# The engine itself meets its end in the middle: asked by systemd, it rolls back; killed, and the power
# gone, the old system boots.

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
    eventually 30 held web
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

step "systemd is asked to stop it: rolled back"
under_way
begin stop web systemctl stop "$(engine_unit)"
eventually 30 on web sh -c "[ \"\$(systemctl show -P ActiveState $(engine_unit))\" = deactivating ]"
let_go web
ends switch 3
says "told to stop" "Rolled back: '$good' runs again"
ends stop 0
good_again
is "$(generations_of web | xargs)" "1 2"

step "killed together with its host: what boots is the old system, and the record is closed"
under_way
power_cut web
boot web
is "$(running_of web)" "$good"
on web /usr/libexec/enact/enact-activate recover
missing web /var/lib/enact/transaction.json
good_again
is "$(generations_of web | xargs)" "1 2"
on web enact log
says "The host was started anew"
