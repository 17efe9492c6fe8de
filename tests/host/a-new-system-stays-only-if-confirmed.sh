# With --confirm a new system that is well stays only if somebody says so in time: confirmed, late,
# twice, cancelled instead, by somebody who may not, and with /run/enact gone meanwhile.
# It may take 300 s.

needs enact
host web

good=$(running_of web)
configuration web new << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
new=$(built web new)

# waiting SECONDS [VERB]: a switch to the new system runs and waits to be confirmed
waiting() {
    begin switch alice@web enact "${2:-switch}" --store-path "$new" --confirm "$1"
    eventually 30 said_so_far switch "'enact confirm' within $1 s"
    is "$(running_of web)" "$new"
    is "$(profile_of web)" "$good"
    active web greeter.service
    id=$(ask bob@web jq -r .id /var/lib/enact/transaction.json)
}

# good_again: the old system runs, and nothing else is left
good_again() {
    is "$(running_of web)" "$good"
    is "$(profile_of web)" "$good"
    inactive web greeter.service
    missing web /var/lib/enact/transaction.json
    missing web /nix/var/nix/gcroots/enact/candidate
}

step "what nothing waits for"
refused alice@web 1 enact confirm
says "Nothing is under way"
for words in "boot --store-path $new" "build --store-path $new" "switch --no-rollback --store-path $new" "rollback --no-rollback"; do
    # shellcheck disable=SC2086  # words
    refused web 2 enact $words --confirm 60
    says "--confirm"
done
refused web 2 enact switch --store-path "$new" --confirm soon
refused web 2 enact confirm 1 2
refused web 1 enact confirm 20200101-000000-000001
says "No switch '20200101-000000-000001'"
on web enact test --store-path "$good" --confirm 60
says "Nothing to do"

step "late: it goes back, and whoever confirms then is told so"
begin switch alice@web enact switch --store-path "$new" --confirm 3
ends switch 3
says "'enact confirm' within 3 s" "3 s left" "Nobody confirmed '$new' within 3 s" "Rolled back: '$good' runs again"
good_again
id=$(ask web enact log --json 1 | jq -r '.entries[0].id')
refused alice@web 1 enact confirm
says "Nothing is under way" "Nobody confirmed '$new' within 3 s"
refused alice@web 1 enact confirm "$id"
says "It is too late" "Nobody confirmed"
is "$(ask web enact log --json 1 | jq -r '.entries[0] | [.outcome, .user] | join(" ")')" "rolled-back alice"

step "by somebody who may not: nothing is said"
waiting 60
refused bob@web 1 enact confirm
says "root"
on bob@web enact status
says "under way" "a switch to $new" "in phase 'confirm'" "by alice" "'enact confirm'"
is "$(ask bob@web enact status --json | jq -r '.open.phase')" confirm
left=$(ask bob@web enact status --json | jq -r '."confirm-seconds"')
((left > 0 && left <= 60)) || fail "$left seconds are left"
is "$(running_of web)" "$new"

step "given: it stays; a word that names another switch is none"
refused web 1 enact confirm 20200101-000000-000001
is "$(profile_of web)" "$good"
on alice@web enact confirm
says "confirmed by alice" "done: '$new' runs"
ends switch 0
says "confirmed by alice"
is "$(running_of web)" "$new"
is "$(profile_of web)" "$new"
active web greeter.service
missing web /var/lib/enact/transaction.json
refused web 1 enact confirm "$id"
says "too late"

step "cancelled instead; the rollback waits for nobody's word"
on web enact switch --store-path "$good"
waiting 60
on alice@web enact cancel
says "rolling back" "cancelled:"
ends switch 3
says "told to stop"
good_again

step "a rollback and a test wait as well; Ctrl-C lets go and names what can be done"
waiting 60 test
signal switch INT
ends switch 130
says "goes on" "'enact cancel' rolls it back"
on web enact confirm --json
is "$(said | jq -r 'select(.event == "end") | .exit')" 0
is "$(running_of web)" "$new"
is "$(profile_of web)" "$good"
begin back web enact rollback --confirm 60
eventually 30 said_so_far back "'enact confirm' within 60 s"
is "$(running_of web)" "$good"
on web enact cancel
ends back 3
is "$(running_of web)" "$new"
on web enact test --store-path "$good"

step "twice, while the first one's word is carried out: the second one is told so"
configuration web slow << 'NIX'
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "/usr/local/bin/hold-here";
}
NIX
new=$(built web slow)
waiting 60
hold web
begin first web enact confirm
eventually 30 held web
refused alice@web 1 enact confirm
says "confirmed already, by root"
let_go web
ends first 0
ends switch 0
on web enact switch --store-path "$good"

step "something is mounted over /run/enact meanwhile: the word is heard, and the end is told"
waiting 60
on web mount -t tmpfs tmpfs /run/enact
on web enact confirm
says "'$new' runs"
is "$(profile_of web)" "$new"
on web umount /run/enact
ends switch 0
on web enact switch --store-path "$good"

step "the system itself wants it, with --no-rollback nobody is asked"
configuration web declared << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  system.extraSystemBuilderCmds = "echo '{ \"version\": 1, \"judge\": { \"confirm\": 1.5 } }' > enact.json";
}
NIX
new=$(built web declared)
refused web 3 enact switch --store-path "$new"
says "'enact confirm' within 2 s" "Nobody confirmed '$new' within 2 s"
good_again
begin stays web enact switch --store-path "$new" --confirm 60
eventually 30 said_so_far stays "'enact confirm' within 60 s"
on web enact confirm
ends stays 0
on web enact switch --store-path "$good"
on web enact switch --store-path "$new" --no-rollback
says_not "enact confirm"
on web enact switch --store-path "$good"

step "the engine is killed while it waits: rolled back at once, and the word comes too late"
waiting 600
on web systemctl kill --signal=KILL "enact-$id.service"
ends switch 3
good_again
refused web 1 enact confirm
says "Nothing is under way"
missing web "/var/lib/enact/confirmation-$id"

step "the power goes while it waits: the old system boots"
waiting 600
power_cut web
ends switch 137
boot web
good_again
refused web 1 enact confirm
says "Nothing is under way"
