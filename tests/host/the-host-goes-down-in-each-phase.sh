# The host is told to reboot, or to power off, while a switch activates, judges or commits: it goes
# down without waiting for the switch to be done with. What boots is wholly the old system or wholly the
# new one, the recovery unit closes the record, and the log tells it.

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
    eventually 20 held web
    name_it
}

name_it() {
    unit=$(engine_of web)
    id=${unit#enact-}
    id=${id%.service}
}

up_again() {
    host_gone web
    ends switch "$1"
    boot web
}

step "rebooted while it activates: the old system"
new=$(system activate true 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
begun "$new"
going_down web reboot
eventually 10 state_is web "$unit" deactivating
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

step "powered off while it judges: the old system"
new=$(system judge true "")
begin switch web enact switch --json --store-path "$new"
eventually 20 said_so_far switch '"phase":"judge"'
name_it
going_down web
up_again 1
runs "$good" good "1 2"
in_the_log 1 "told to stop" "The host was started anew and '$good' runs"

step "rebooted while the boot loader is installed: the new system"
new=$(system commit /usr/local/bin/hold-here "")
begun "$new"
going_down web reboot
eventually 10 state_is web "$unit" deactivating
let_go web
up_again 0
runs "$new" commit "1 2 3"
in_the_log 0 "the boot default"
