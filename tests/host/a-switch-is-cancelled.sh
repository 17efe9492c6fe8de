# enact cancel ends the switch that is under way, in whichever phase it is, and says how it ended; with
# nothing under way it says so, and where an engine was killed it brings what is open to an end.

needs enact
host web

good=$(running_of web)
configuration web new << 'NIX'
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  system.preSwitchChecks.hold = "[ ! -e /run/in-stage ] || /usr/local/bin/hold-here";
  system.activationScripts.hold = "[ ! -e /run/in-activate ] || /usr/local/bin/hold-here";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "[ ! -e /run/in-commit ] || /usr/local/bin/hold-here";
}
NIX
new=$(built web new)

# held_in PHASE: a switch to the new system is held there
held_in() {
    on web sh -c 'rm -f /run/in-*'
    on web touch "/run/in-$1"
    hold web
    begin switch web enact switch --store-path "$new"
    eventually 30 held web
}

# asking N: so many root helpers wait for the engine
asking() {
    [ "$(ask web pgrep -fc '^/usr/libexec/enact/enact-activate serve')" -ge "$1" ]
}

good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    inactive web greeter.service
    missing web /var/lib/enact/transaction.json
    missing web /nix/var/nix/gcroots/enact/candidate
}

step "nothing is under way"
refused alice@web 1 enact cancel
says "Nothing is under way."
refused web 1 enact cancel 20200101-000000-000001
says "No switch '20200101-000000-000001'"
refused web 2 enact cancel now please

step "before activation: nothing was changed"
held_in stage
refused bob@web 1 enact cancel
says "root"
on alice@web enact cancel
says "cancelled:"
ends switch 130
let_go web
good_again

step "during activation: it goes back; who asks twice is told the same"
held_in activate
begin cancel alice@web enact cancel
eventually 30 asking 2
begin again web enact cancel --json
eventually 30 asking 3
let_go web
ends switch 3
says "told to stop" "Rolled back: '$good' runs again"
ends cancel 0
says "rolling back" "cancelled:" "'$good' runs again"
ends again 0
is "$(said | jq -r 'select(.event == "end") | .exit')" 3
good_again
refused alice@web 1 enact cancel
says "Nothing is under way. The last switch ended at" "told to stop"
is "$(ask web enact log --json 1 | jq -r '.entries[0].outcome')" "rolled-back"

step "in the commit it is too late"
held_in commit
begin cancel web enact cancel
eventually 30 asking 2
let_go web
ends switch 0
ends cancel 1
says "too late" "ended well"
is "$(profile_of web)" "$new"
on web enact switch --store-path "$good"
good_again

step "somebody else's switch does not hear"
eventually 60 inactive web user@1000.service # what alice's leaving stops is no matter of this one
eventually 60 inactive web user@1001.service
on web sh -c 'rm -f /run/in-*; touch /run/in-activate'
hold web
begin dropin web "$new/bin/switch-to-configuration" test
eventually 30 held web
refused web 1 enact cancel
says "What is under way is no switch that hears" "switch-to-configuration"
let_go web
ends dropin 0
on web enact test --store-path "$good"
is "$(running_of web)" "$good"

step "the engine is killed and nobody is at it: status says so, and what is open is brought to an end"
# orphaned: a switch in mid-activation whose engine and dead man's switch are gone
orphaned() {
    held_in activate
    on web systemctl stop 'enact-dead-man-*.service'
    on web systemctl kill --signal=KILL 'enact-2*.service'
    ends switch 5
    let_go web
}
orphaned
on bob@web enact status
says "interrupted" "a switch to $new" "in phase 'activate'" "by root" "'enact cancel'"
says_not "by a reboot"
is "$(ask bob@web enact status --json | jq -c '[.interrupted, ."under-way", ."other-boot"]')" "[true,false,false]"
refused bob@web 1 enact cancel
on alice@web enact cancel
says "cancelled:" "'$good' runs again"
good_again
is "$(ask web enact log --json 1 | jq -r '.entries[0].outcome')" "rolled-back"

step "a record of another boot was interrupted by a reboot"
orphaned
on web sh -c 'jq -c ".\"boot-id\" = \"00000000000000000000000000000001\"" /var/lib/enact/transaction.json > /root/record'
on web cp /root/record /var/lib/enact/transaction.json
on bob@web enact status
says "interrupted" "by a reboot"
is "$(ask bob@web enact status --json | jq -c '[.interrupted, ."under-way", ."other-boot"]')" "[true,false,true]"
on web enact switch --store-path "$good"
missing web /var/lib/enact/transaction.json

step "a dead man's switch is at it already: it is left alone, and followed to the end"
configuration web old << 'NIX'
{ system.activationScripts.hold = "[ ! -e /run/in-rollback ] || /usr/local/bin/hold-here"; }
NIX
on web sh -c 'rm -f /run/in-*'
on web enact switch --store-path "$(built web old)"
good=$(running_of web)
held_in activate
on web touch /run/in-rollback
on web systemctl kill --signal=KILL 'enact-2*.service'
eventually 30 on web sh -c 'enact status | grep -q "^under way.*in phase .rollback"'
begin cancel alice@web enact cancel
# shellcheck disable=SC2016  # for the shell in the host; the switch has one as well
eventually 30 on web sh -c '[ "$(pgrep -c -f "^/usr/libexec/enact/enact-activate serve")" = 2 ]'
let_go web
ends cancel 0
says "cancelled:" "'$good' runs again"
says_not "could not be brought to an end"
ends switch 3
good_again
