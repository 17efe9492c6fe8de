# The host is told to reboot while an activation script of the way back hangs: the script has a minute,
# then the host goes down with the record open, and what boots is wholly the old system.
# It may take 240 s.

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
configuration web bad << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'touch /run/hold; false'"; };
  };
}
NIX
bad=$(built web bad)

# held_on_the_way_back: it is, and the switch has a name
held_on_the_way_back() {
    begin switch web enact switch --json --store-path "$bad"
    eventually 30 held web
    said_so_far switch '"phase":"rollback"' || fail "it is not on its way back"
    unit=$(engine_of web)
    id=${unit#enact-}
    id=${id%.service}
}

good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    is "$(booted_of web)" "$good"
    active web greeter.service
    at_its_end web
    on web enact log --json "$id"
    is "$(said | jq -c '[.entries[].exit]')" "[1]" "the exit codes in the log"
    says "The host was started anew and '$good' runs"
}

step "told to end, the way back goes on; only a host that goes down ends it"
held_on_the_way_back
on web sh -c 'kill -TERM $(systemctl show -P MainPID "$1")' - "$unit"
let_go web
ends switch 3
is "$(running_of web)" "$good"

step "rebooted while it hangs"
held_on_the_way_back
began=$SECONDS
going_down web reboot
host_gone web 100
took=$((SECONDS - began))
[ "$took" -ge 50 ] || fail "the script had only $took s"
ends switch 1
boot web
good_again

step "powered off, and a script that ends in time: the way back goes no further, either"
held_on_the_way_back
going_down web
eventually 30 state_is web "$unit" deactivating
let_go web
host_gone web
ends switch 1
boot web
good_again
