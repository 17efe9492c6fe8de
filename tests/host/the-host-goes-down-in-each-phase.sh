# The host is told to reboot, or to power off, while a switch is staged, activates, judges, waits to be confirmed or
# commits: it goes down without waiting for the switch to be done with. What boots is wholly the old system or
# wholly the new one, the recovery unit closes the record, and the log tells it.
# It may take 700 s.

needs enact
host web

# system WHERE: a configuration whose switch can be held WHERE it says
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sleep 1002"; Environment = "OF=$1"; }; };
  systemd.hostUnits."multi-user.target" = [ "enact-recover.service" ];
  environment.etc.motto.text = "$1";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo \$1 > /root/installed; $2";
  $3
}
NIX
    built web "$1"
}

good=$(system good true "")
on web enact switch --store-path "$good"

# runs SYSTEM NAME GENERATIONS: it booted, is the boot default, and nothing else is left
runs() {
    is "$(booted_of web)" "$1" "the booted system"
    is "$(running_of web)" "$1" "the running system"
    is "$(profile_of web)" "$1" "the boot default"
    is "$(contents web /root/installed)" "$1" "what the installer was run for"
    is "$(contents web /etc/motto)" "$2"
    is "$(generations_of web | xargs)" "$3" "the generations"
    active web greeter.service
    at_its_end web
}

# in_the_log CODE TEXT...: the switch has one entry, and says so
in_the_log() {
    on web enact log --json "$id"
    is "$(said | jq -c '[.entries[].exit]')" "[$1]" "the exit codes in the log"
    says "${@:2}"
}

# begun SYSTEM: the switch to it is under way and held
begun() {
    hold web
    begin switch web enact switch --store-path "$1"
    eventually 30 held web
    name_it
}

name_it() {
    unit=$(engine_of web)
    id=${unit#enact-}
    id=${id%.service}
}

up_again() {
    host_gone web
    # Whoever asked may be killed with the host (143) before the last word reaches them; the log has it.
    ends switch "$1" 143
    boot web
}

new=$(system stage true 'system.preSwitchChecks.hold = "/usr/local/bin/hold-here";')
for verb in reboot poweroff; do
    step "$verb while it is staged: nothing was changed, and nothing is left to be told"
    begun "$new"
    exists web /var/lib/enact/transaction.json
    going_down web "$verb"
    up_again 130
    let_go web
    runs "$good" good "1 2"
    refused web 1 enact log "$id"
    says "The history has no switch"
done

step "rebooted while it activates: the old system"
new=$(system activate true 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
begun "$new"
going_down web reboot
eventually 30 state_is web "$unit" deactivating
let_go web
up_again 1
runs "$good" good "1 2"
in_the_log 1 "told to stop" "The host was started anew and '$good' runs"

step "powered off while an activation script hangs: the same, without waiting for it"
begun "$new"
began=$SECONDS
going_down web
up_again 1
[ "$((SECONDS - began))" -lt 30 ] || fail "the host went down only after $((SECONDS - began)) s"
runs "$good" good "1 2"
in_the_log 1 "told to stop" "The host was started anew and '$good' runs"

new=$(system judge true "")
for verb in reboot poweroff; do
    step "$verb while it judges: the old system"
    begin switch web enact switch --json --judge-window 600 --store-path "$new"
    eventually 30 said_so_far switch '"phase":"judge"'
    name_it
    going_down web "$verb"
    up_again 1
    runs "$good" good "1 2"
    in_the_log 1 "told to stop" "The host was started anew and '$good' runs"
done

for verb in reboot poweroff; do
    step "$verb while it waits to be confirmed: nobody's word is a no"
    begin switch web enact switch --json --confirm 600 --store-path "$new"
    eventually 30 said_so_far switch '"event":"confirm"'
    is "$(running_of web)" "$new"
    name_it
    began=$SECONDS
    going_down web "$verb"
    up_again 1
    [ "$((SECONDS - began))" -lt 60 ] || fail "the host went down only after $((SECONDS - began)) s"
    runs "$good" good "1 2"
    in_the_log 1 "told to stop" "The host was started anew and '$good' runs"
    refused web 1 enact confirm
done

step "rebooted while the boot loader is installed: the new system"
new=$(system commit /usr/local/bin/hold-here "")
begun "$new"
going_down web reboot
eventually 30 state_is web "$unit" deactivating
let_go web
up_again 0
runs "$new" commit "1 2 3"
in_the_log 0 "the boot default"
