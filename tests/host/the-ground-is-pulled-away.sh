# The ground is pulled away in mid-switch: /tmp and enact's own place in /run are covered, systemd is
# executed anew, its state is removed, read-only, cut short or a newer version's. The switch goes to its
# end or back, and what cannot be read is told and changes nothing.
# It may take 400 s.

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

# given_up HOST: nobody works on what was left open
given_up() {
    is "$(dead_man_of "$1")" "" "who watches"
}

steady=$(pid_of web steady.service)
one=$(system one true "")
on web enact switch --store-path "$one"

step "/tmp and /run are remounted, /tmp and /run/enact are covered, systemd executes itself anew, and a daemon is left behind"
two=$(system two '
    if [ ! -e /run/covered ]; then
        : > /run/covered
        mount -o remount,size=48m,mode=755,noexec /run
        mount -t tmpfs tmpfs /tmp
        mount -o remount,size=16m,noexec /tmp
        mount -t tmpfs -o ro tmpfs /run/enact
        /bin/systemctl daemon-reexec
        /usr/bin/setsid sleep 1234 &
    fi
' "")
on web enact switch --store-path "$two"
runs two
is "$(last_exit)" 0
on web umount /tmp /run/enact

step "the same on a way that leads back"
bad=$(system covers '
    mount -t tmpfs tmpfs /tmp
    mount -t tmpfs -o ro tmpfs /run/enact
    /bin/systemctl daemon-reexec
    false' "")
refused web 3 enact switch --store-path "$bad"
says "Rolled back: '$two' runs again"
runs two
is "$(last_exit)" 3
on web umount /tmp /run/enact

step "the state is removed: nothing goes forwards without a record"
bad=$(system removes 'rm -rf /var/lib/enact' "")
refused web 3 enact switch --store-path "$bad"
says "Cannot write the record in '/var/lib/enact': No such file or directory" "Rolled back: '$two' runs again"
runs two

step "the record cannot be replaced any more: it stays, and is ended when it can be"
bad=$(system fixed 'mount --bind /var/lib/enact/transaction.json /var/lib/enact/transaction.json' "")
refused web 3 enact switch --store-path "$bad"
says "Cannot write the record in '/var/lib/enact': Device or resource busy" "Rolled back: '$two' runs again"
is "$(running_of web)" "$two"
is "$(profile_of web)" "$two"
exists web /var/lib/enact/transaction.json
eventually 60 given_up web # the dead man's switch tries it, too
on web umount /var/lib/enact/transaction.json
on web enact status
says "interrupted"
on web /usr/libexec/enact/enact-activate recover
runs two

step "the state is read-only, by a mount that the script has made there: that is taken away, and nothing stays open"
bad=$(system covered 'mount --bind /var/lib/enact /var/lib/enact; mount -o remount,bind,ro /var/lib/enact' "")
refused web 3 enact switch --store-path "$bad"
says "Something was mounted at '/var/lib/enact' in the middle of the switch" "Rolled back: '$two' runs again"
runs two
refused web 32 mountpoint /var/lib/enact

step "a record of a newer version names the engine that can end it, and nothing is changed"
write web /var/lib/enact/transaction.json <<< '{"version":2,"engine":"/nix/store/newer/enact-activate","id":{"new":1}}'
snapshot web
refused web 1 enact switch --store-path "$one"
says "A newer version of enact" "run '/nix/store/newer/enact-activate recover'" "Nothing was changed."
unchanged web
refused web 1 enact rollback
refused web 1 /usr/libexec/enact/enact-activate recover
says "run '/nix/store/newer/enact-activate recover'"
on web enact status
says "interrupted"
is "$(contents web /var/lib/enact/transaction.json | jq .version)" 2
on web rm /var/lib/enact/transaction.json

step "a record that was cut short: that is told, and all units are looked after"
for text in '{"version":1,"id":"2026' ''; do
    write web /var/lib/enact/transaction.json <<< "$text"
    on web enact status
    says "damaged" "the next switch looks after all units"
    on web enact switch --store-path "$one"
    says "is damaged" "done: '$one' runs"
    runs one
    missing web /var/lib/enact/transaction.damaged
done
on web enact log
says_not "2026\""

step "who asks for the recovery of such a record is told that the next switch sees to it, until it has"
write web /var/lib/enact/transaction.json <<< '{'
on web /usr/libexec/enact/enact-activate recover
says "is damaged; the next switch looks after all units"
is "$(ask web enact status --json | jq '."damaged-record"')" true
on web enact switch --store-path "$one"
runs one
is "$(ask web enact status --json | jq '."damaged-record"')" false
