# Two switches at the same time: the second ends with 6 and names the holder, the first one is not
# disturbed. The same with the lock that NixOS' own program takes, and with Nix' lock on the profile.

needs enact
host web

configuration web other << 'NIX'
{ environment.etc.motto.text = "other"; }
NIX
other=$(built web other)

step "one is held in its activation"
configuration web one << 'NIX'
{ environment.etc.motto.text = "one"; system.activationScripts.hold = "/usr/local/bin/hold-here"; }
NIX
hold web
begin first web enact switch --flake /root/one
eventually 30 held web
engine=$(ask web pgrep -f '^/usr/libexec/enact/enact-activate run')
snapshot web
for words in "switch --flake /root/other" "switch --store-path $other" "test --store-path $other" \
    "boot --store-path $other" "switch --store-path $other --no-rollback --force" "rollback 1"; do
    # shellcheck disable=SC2086  # words
    refused web 6 enact $words
    says "Another switch is under way" "process $engine" "enact-activate run" "Nothing was changed"
done
refused alice@web 6 enact switch --store-path "$other"
says "process $engine"
unchanged web

step "what only looks is not kept from it"
on web enact build --flake /root/other
on bob@web enact plan --store-path "$other"
on bob@web enact generations
on bob@web enact status
says "under way"
on web mount -o remount,hidepid=invisible /proc
on bob@web enact status
says "under way"
says_not "interrupted"
on web mount -o remount,hidepid=off /proc

step "the first one ends as if nothing had been"
let_go web
ends first 0
says "done:"
is "$(contents web /etc/motto)" one
is "$(profile_of web)" "$(running_of web)"
on web enact status
says_not "under way" "interrupted"

step "a switch that is staging holds others off as well"
configuration web slow << 'NIX'
{ environment.etc.motto.text = "slow"; system.preSwitchChecks.slow = "/usr/local/bin/hold-here"; }
NIX
hold web
begin first web enact boot --flake /root/slow
eventually 30 held web
refused web 6 enact switch --store-path "$other"
says "Another switch is under way"
let_go web
ends first 0

step "NixOS' own lock"
hold web
snapshot web
begin nixos web flock --exclusive /run/nixos/switch-to-configuration.lock /usr/local/bin/hold-here
eventually 30 held web
refused web 6 enact switch --store-path "$other"
says "Another switch is under way" "flock" "/run/nixos/switch-to-configuration.lock" "Nothing was changed"
refused web 6 enact boot --store-path "$other"
unchanged web
let_go web
ends nixos 0
on web enact switch --store-path "$other"

step "whoever gets our lock while another is at it sees nothing half-made"
missing web /var/lib/enact/transaction.json

step "many at once: one at a time gets through, and the host is whole"
for i in 1 2 3 4 5 6; do
    configuration web "many$i" << NIX
{ environment.etc.motto.text = "many $i"; }
NIX
    built web "many$i" > "$place/many$i"
done
for i in 1 2 3 4 5 6; do
    begin "many$i" web enact switch --store-path "$(cat "$place/many$i")"
done
through=0
for i in 1 2 3 4 5 6; do
    pid=$(cat "$place/begun/many$i/pid")
    result=0
    wait "$pid" || result=$?
    case $result in
    0) through=$((through + 1)) ;;
    6) ;;
    *) fail "one of many ended with $result" "$(cat "$place/begun/many$i/err")" ;;
    esac
done
[ "$through" -ge 1 ] || fail "none got through"
is "$(profile_of web)" "$(running_of web)"
number=$(ask web sed 's/many //' /etc/motto)
is "$(running_of web)" "$(cat "$place/many$number")"
