# An activation script that dies of a signal, leaves off early or never ends, or a unit that never does:
# the switch goes back, and somebody who has had enough can cancel it.

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
  system.activationScripts.misbehave = "$2";
  $3
}
NIX
    built web "$1"
}

# runs NAME: and is the boot default
runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}" "the running system"
    is "$(profile_of web)" "${!1}" "the boot default"
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    active web greeter.service
    same_pid web steady.service "$steady"
    eventually 30 at_its_end web
}

# last_exit: of the newest entry in the history
last_exit() {
    ask web sh -c 'cat "$(ls /var/lib/enact/history/*.json | tail -n 1)"' | jq -r .exit
}

steady=$(pid_of web steady.service)
one=$(system one true "")
on web enact switch --store-path "$one"

step "killed"
bad=$(system bad 'kill -KILL $$' "")
refused web 3 enact switch --store-path "$bad"
says "The activation script" "signal" "Rolled back: '$one' runs again"
runs one
is "$(last_exit)" 3

step "left off early, and called well"
bad=$(system early "exit 0" "")
refused web 3 enact switch --store-path "$bad"
says "The activation script of '$bad' ended well, but '/run/current-system' leads to '$one'" \
    "Rolled back: '$one' runs again"
runs one

step "without end: cancelled"
bad=$(system hangs /usr/local/bin/hold-here "")
hold web
begin switch web enact switch --store-path "$bad"
eventually 30 held web
on web enact cancel
ends switch 3
let_go web
says "told to stop" "Rolled back: '$one' runs again"
runs one
on web sh -c '! pgrep -f "[h]old-here"'

step "without end, in a unit: cancelled at once"
slow=$(system slow true 'systemd.services.slow = { wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; TimeoutStartSec = "infinity"; ExecStart = "/usr/local/bin/hold-here"; }; };')
hold web
begin switch web enact switch --store-path "$slow"
eventually 30 held web
began=$SECONDS
on web enact cancel
ends switch 3
[ "$((SECONDS - began))" -le 8 ] || fail "that took $((SECONDS - began)) s"
let_go web
says "told to stop" "Rolled back: '$one' runs again"
runs one
inactive web slow.service
