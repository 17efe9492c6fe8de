# An activation script, or a service, mounts something over the state directory in the middle of a switch: it is
# taken away again and the switch goes back, whoever is left to see to that. A mount elsewhere is nobody's business.
# It may take 600 s.

needs enact
host web

system() { # NAME LINE [MORE]
    configuration web "$1" << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  system.activationScripts.mounts = "$2";
  ${3:-}
}
NIX
    built web "$1"
}

mounted() {
    ask web sh -c "findmnt --noheadings --raw --output TARGET | grep -E '^/var' | sort || true" | xargs
}

# one_again LAST: the system runs that ran before, all of it is in sight, and the history has that exit code last
one_again() {
    is "$(running_of web)" "$one" "the running system"
    is "$(profile_of web)" "$one" "the boot default"
    is "$(contents web /etc/motto)" one
    [[ " $(unit_property web greeter.service Environment) " == *" OF=one "* ]] || fail "greeter is not that of one"
    active web greeter.service
    same_pid web steady.service "$steady"
    is "$(mounted)" "/var/mnt" "what is mounted below /var"
    is "$(ask web sh -c 'cat "$(ls /var/lib/enact/history/*.json | tail -n 1)"' | jq -r .exit)" "$1" "the last exit code"
    eventually 30 at_its_end web
}

steady=$(pid_of web steady.service)
above='mount -t tmpfs tmpfs /var/lib'
one=$(system one true)
at=$(system at 'mount -t tmpfs tmpfs /var/lib/enact')
above_twice=$(system above "$above; $above; sleep 1009 > /var/lib/in-use 2>&1 &")
waits=$(system waits "$above; /usr/local/bin/hold-here")
served=$(system served true 'systemd.services.mounter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/mount -t tmpfs tmpfs /var/lib"; };
  };')
on web mkdir -p /var/mnt
on web enact switch --store-path "$one"
on web mount -t tmpfs tmpfs /var/mnt # somebody else's, before and after

step "mounted at it, and above it: the switch goes back, and says why"
refused web 3 enact switch --store-path "$at"
says "Something was mounted at '/var/lib/enact' in the middle of the switch" "taken away again" "'enact boot'" \
    "Rolled back: '$one' runs again"
one_again 3
refused web 3 enact switch --store-path "$above_twice"
says "Something was mounted at '/var/lib' in the middle of the switch"
one_again 3

step "a service mounts it: the same"
refused web 3 enact switch --store-path "$served"
says "Something was mounted at '/var/lib' in the middle of the switch"
one_again 3

step "where a rollback is declined the system stays, and the mount does not"
refused web 4 enact switch --no-rollback --store-path "$at"
says "Something was mounted at '/var/lib/enact'" "active all the same"
is "$(running_of web)" "$at"
is "$(mounted)" "/var/mnt" "what is mounted below /var"
at_its_end web
on web enact switch --store-path "$one"

# begun: a switch is held in a script that has mounted something over the record
begun() {
    hold web
    begin switch web enact switch --store-path "$waits"
    eventually 30 held web
    is "$(mounted)" "/var/lib /var/mnt" "what is mounted below /var"
    missing web /var/lib/enact/transaction.json
}

step "the engine is killed with the mount there: its dead man finds the record"
begun
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends switch 3
says "the engine has died" "Rolled back: '$one' runs again"
let_go web
one_again 3

step "the dead man is killed as well: the one that systemd starts in its place finds it"
begun
on web systemctl kill --signal=KILL "$(dead_man_of web)" "$(engine_of web)"
ends switch 3
says "Rolled back: '$one' runs again"
let_go web
one_again 3

step "nobody is left: whoever recovers finds it"
begun
on web systemctl stop "$(dead_man_of web)"
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends switch 5
let_go web
missing web /var/lib/enact/transaction.json
on web /usr/libexec/enact/enact-activate recover
says "Rolled back: '$one' runs again"
one_again 3

step "so does the next switch"
begun
on web systemctl stop "$(dead_man_of web)"
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends switch 5
let_go web
on web enact switch --force --store-path "$one"
says "was interrupted in phase 'activate'" "Rolled back: '$one' runs again" "done: '$one' runs"
one_again 0

step "what is mounted there after the end of a switch stays"
on web mount -t tmpfs tmpfs /var/lib
on web enact switch --force --store-path "$one"
is "$(mounted)" "/var/lib /var/mnt" "what is mounted below /var"
