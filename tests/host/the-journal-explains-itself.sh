# What the engine tells the journal has fields, so that nobody parses prose, and message ids that the
# catalog explains in whole sentences, with the systems' paths in them.

needs enact
host web

zero=$(running_of web)
configuration web one << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
configuration web bad << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; }; }
NIX
one=$(built web one)
bad=$(built web bad)

step "each message id of the engine is in the catalog"
on web journalctl --update-catalog
on web journalctl --list-catalog
ids=$(sed -n 's/.*SD_ID128_MAKE(\(.*\))/\1/p' "$checkout/activate/event.h" | tr -d ', ')
[ "$(wc -l <<< "$ids")" -ge 5 ] || fail "few message ids in event.h: $ids"
while read -r id; do
    says "$id enact: "
done <<< "$ids"

# fields ID EVENT: of that entry of the journal, as JSON
fields() {
    ask web journalctl -o json -t enact-activate ENACT_ID="$1" ENACT_EVENT_NAME="$2"
}
# explained TEXT OPTIONS...: among what journalctl -x says
explained() {
    [[ $(ask web journalctl -x "${@:2}") == *"$1"* ]]
}
id_of_last() {
    ask web enact log --json 1 | jq -r '.entries[0].id'
}

step "one that went well"
on web enact switch --store-path "$one"
id=$(id_of_last)
eventually 30 explained "A switch has ended well" ENACT_ID="$id"
is "$(fields "$id" begin | jq -r '[.ENACT_FROM, .ENACT_TO, .PRIORITY] | join(" ")')" "$zero $one 5"
is "$(fields "$id" end | jq -r '[.ENACT_FROM, .ENACT_TO, .ENACT_EXIT, .GENERATION] | join(" ")')" "$zero $one 0 2"
is "$(fields "$id" end | jq -r .MESSAGE_ID)" 8f0197c44e5d437a9c5e21d3660bae92
is "$(fields "$id" end | jq -r '.ENACT_EVENT | fromjson | .exit')" 0
is "$(fields "$id" verdict | jq -r .ENACT_VERDICT)" good
is "$(fields "$id" phase | jq -r .ENACT_PHASE | xargs)" "stage activate judge commit"
on web journalctl -x ENACT_ID="$id"
says "A switch to another system begins" "'enact log $id' tells the rest"

step "one that was rolled back"
refused web 3 enact switch --store-path "$bad"
id=$(id_of_last)
eventually 30 explained "A switch has failed and was rolled back" ENACT_ID="$id"
on web journalctl -x ENACT_ID="$id"
says "The system $bad was activated" "$one, runs again"
is "$(fields "$id" end | jq -r '[.ENACT_EXIT, .ENACT_ERROR] | join(" ")')" "3 org.enact.Error.RolledBack"
is "$(fields "$id" unit-failed | jq -r .UNIT)" greeter.service

step "one that was stopped before anything was touched is explained, too"
refused web 1 enact switch --store-path "$bad" --plan 0000
eventually 30 explained "unless it says otherwise" MESSAGE_ID=b274e05f13c84d96a30d7e18559fc20e

step "one that waits to be confirmed, and nobody does"
refused web 3 enact switch --store-path "$zero" --confirm 1
id=$(id_of_last)
eventually 30 explained "A switch has failed and was rolled back" ENACT_ID="$id"
on web journalctl -x ENACT_ID="$id"
says "A switch waits for somebody to confirm it" "back to $one at once"
says_not "countdown"
