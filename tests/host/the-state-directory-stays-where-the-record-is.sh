# A host with a root in memory keeps enact's state beside the store. Where an activation script mounts the
# usual place durably in the middle of a switch, everybody still finds that switch: whoever confirms it, the dead
# man, the next boot.

needs enact
host web
on web sh -c 'mkdir -p /persist/enact && touch /persist/enact/durable && mount -t tmpfs tmpfs /var/lib'
first=$(running_of web)

system() { # NAME LINE: its activation script keeps the state directory, then runs LINE
    configuration web "$1" << NIX
{
  system.activationScripts.persist = ''
    mkdir -p /var/lib/enact /persist/enact
    [ -e /var/lib/enact/durable ] || mount --bind /persist/enact /var/lib/enact
    $2
  '';
  environment.etc.motto.text = "$1";
}
NIX
}
system held /usr/local/bin/hold-here
system persist true
held=$(built web held) persist=$(built web persist)

step "the engine is killed after the mount: its dead man goes back"
hold web
begin killed web enact switch --store-path "$held"
eventually 30 held web
exists web /nix/var/enact/transaction.json
on web mountpoint /var/lib/enact
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends killed 3
missing web /nix/var/enact/transaction.json
is "$(running_of web)" "$first"
let_go web

step "confirmed in time, by somebody who comes after the mount"
on web umount /var/lib/enact
begin switch web enact switch --confirm 60 --store-path "$persist"
eventually 30 said_so_far switch "enact confirm"
on web mountpoint /var/lib/enact
exists web /nix/var/enact/transaction.json
is "$(ask bob@web enact status --json | jq -r .open.to)" "$persist"
refused web 6 enact switch --store-path "$first"
on web enact confirm
ends switch 0
missing web /nix/var/enact/transaction.json
is "$(running_of web)" "$persist"

step "without an open record the durable place is the state directory"
on web enact switch --store-path "$first"
on web sh -c 'ls /var/lib/enact/history/*.json | wc -l'
is "$(said)" 1 "entries of the history there"

step "a power cut after the mount: the next boot looks where the record is"
on web umount /var/lib/enact
hold web
begin cut web enact switch --store-path "$held"
eventually 30 held web
on web cp /nix/var/enact/transaction.json /root/record
power_cut web
ends cut 137
boot web
is "$(unit_property web enact-recover.service ConditionResult)" yes "its condition"
is "$(unit_property web enact-recover.service ExecMainStatus)" 0 "its exit code"
missing web /nix/var/enact/transaction.json
is "$(running_of web)" "$first"
is "$(profile_of web)" "$first"

step "a record in each place: both are ended"
let_go web
for parent in /nix/var /var/lib; do
    on web mkdir -p "$parent/enact"
    on web cp /root/record "$parent/enact/transaction.json"
done
on web /usr/libexec/enact/enact-activate recover
says "its record elsewhere"
missing web /var/lib/enact/transaction.json
missing web /nix/var/enact/transaction.json
