# The engine and all it has started are killed while it stages, activates, waits for a unit, judges or
# commits: its dead man's switch brings the host to one of the two systems, whole, and whoever asked is
# told which. It touches nothing as long as anything of the engine is alive.

needs enact
host web

# system WHERE: a configuration whose switch can be held WHERE it says
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  environment.etc.motto.text = "$1";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo \$1 > /root/installed; $2";
  $3
}
NIX
    built web "$1"
}

configuration web good << 'NIX'
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  environment.etc.motto.text = "good";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo $1 > /root/installed";
}
NIX
on web enact switch --flake /root/good
good=$(running_of web)
steady=$(pid_of web steady.service)

# runs SYSTEM NAME SECONDS GENERATIONS: it does, and is the boot default, and nothing else is left
runs() {
    is "$(running_of web)" "$1" "the running system"
    is "$(profile_of web)" "$1" "the boot default"
    is "$(contents web /root/installed)" "$1" "what the installer was run for"
    is "$(contents web /etc/motto)" "$2"
    is "$(generations_of web | xargs)" "$4" "the generations"
    active web greeter.service
    [[ $(unit_property web greeter.service ExecStart) == *"sleep $3"* ]] || fail "greeter is not that of $2"
    same_pid web steady.service "$steady"
    on web systemctl is-system-running
    eventually 30 at_its_end web
}


# in_the_log ID CODE: the switch has exactly one entry, and it ended so
in_the_log() {
    is "$(ask web sh -c "cat /var/lib/enact/history/$1.json" | jq -c .exit)" "$2" "the exit code in the history"
}

# killed WHERE: the switch to it is under way and held; then all of it is killed
killed() {
    local unit

    hold web
    begin switch web enact switch --store-path "$1"
    eventually 30 held web
    kill_it
}

kill_it() {
    unit=$(engine_of web)
    on web systemctl kill --signal=KILL "$unit"
    let_go web
    id=${unit#enact-}
    id=${id%.service}
}

step "while it stages"
new=$(system stage true 'system.preSwitchChecks.hold = "/usr/local/bin/hold-here";')
killed "$new"
ends switch 1
says "the engine has died" "was interrupted in phase 'stage'"
runs "$good" good 1001 "1 2"
in_the_log "$id" 1
is "$(roots_of web)" "booted good"

step "in the activation script"
new=$(system activate true 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
killed "$new"
ends switch 3
says "was interrupted in phase 'activate'" "Rolled back: '$good' runs again"
runs "$good" good 1001 "1 2"
in_the_log "$id" 3
is "$(roots_of web)" "booted failed/${new##*/} good"

step "while it waits for a unit"
new=$(system unit true 'systemd.services.slow = { wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/usr/local/bin/hold-here"; }; };')
killed "$new"
ends switch 3
says "was interrupted in phase 'activate'" "Rolled back: '$good' runs again"
runs "$good" good 1001 "1 2"
in_the_log "$id" 3
inactive web slow.service

step "while it judges"
new=$(system judge true "")
begin switch web enact switch --json --store-path "$new"
eventually 30 said_so_far switch '"phase":"judge"'
kill_it
ends switch 3
says "was interrupted in phase 'judge'" "Rolled back: '$good' runs again"
runs "$good" good 1001 "1 2"
in_the_log "$id" 3

step "while the boot loader is installed: the new system was found good, so that is completed"
new=$(system commit /usr/local/bin/hold-here "")
killed "$new"
ends switch 0
says "was interrupted in phase 'commit'" "'$new' runs" "the boot default"
runs "$new" commit 1002 "1 2 3"
in_the_log "$id" 0
on web enact rollback
is "$(running_of web)" "$good"

step "as long as anything of the engine is alive, nothing is done beside it"
write web /usr/local/bin/watch-the-record << 'SH'
#!/bin/sh
# Ends with the engine's cgroup. The first thing that a recovery does is to write its phase.
trap "" TERM HUP
echo begun > /root/seen
while :; do
    read -r record < /var/lib/enact/transaction.json
    case $record in *'"phase":"activate"'*) ;; *) echo "at work together" >> /root/seen ;; esac
done
SH
on web chmod +x /usr/local/bin/watch-the-record
new=$(system watched true 'system.activationScripts.watch = "
    for i in 1 2 3; do /usr/bin/setsid /usr/local/bin/watch-the-record < /dev/null > /dev/null 2>&1 & done
    /usr/local/bin/hold-here";')
hold web
begin switch web enact switch --store-path "$new"
eventually 30 held web
eventually 30 exists web /root/seen
on web systemctl kill --kill-who=main --signal=KILL "$(engine_of web)"
ends switch 3
let_go web
is "$(contents web /root/seen | sort -u)" begun "what the engine's remains have seen"
on web sh -c '! pgrep -f "[w]atch-the-record"'
eventually 30 at_its_end web
