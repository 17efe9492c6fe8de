# An engine that dies between keeping the record of a switch that could not be ended and writing its own
# leaves only the previous one: it is told, holds deleting back, and the next boot ends it like any other.

needs enact
host web

system() { # NAME COMMAND: fragile.service runs it
    configuration web "$1" << NIX
{
  systemd.services.fragile = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c '$2'"; };
  };
}
NIX
}

system good "test ! -e /run/broken"
system other "test ! -e /run/broken; true other"
system bad "touch /run/broken; false"
good=$(built web good) other=$(built web other) bad=$(built web bad)
on web enact switch --store-path "$other"
on web enact switch --store-path "$good"
refused web 5 enact switch --store-path "$bad"

# The state lies between two renames; a call of the next engine that is held there holds its recovery, too.
step "what such an engine leaves"
on web mv /var/lib/enact/transaction.json /var/lib/enact/transaction.previous.json

step "it is told by status; whoever would delete what it names tries to end it first, and it stays open alone"
on bob@web enact status
says "$bad"
is "$(ask bob@web enact status --json | jq -r .open.to)" "$bad"
refused web 1 enact generations delete 2
says "enact status"
is "$(generations_of web | grep -cx 2)" 1 "generation 2"
exists web /var/lib/enact/transaction.json
missing web /var/lib/enact/transaction.previous.json

step "the next boot ends it"
power_cut web
boot web
missing web /var/lib/enact/transaction.json
missing web /var/lib/enact/transaction.previous.json
is "$(unit_property web enact-recover.service ConditionResult)" yes "its condition"
is "$(unit_property web enact-recover.service ExecMainStatus)" 0 "its exit code"
is "$(ask web enact status --json | jq -c .open)" null
on web enact switch --store-path "$other"
at_its_end web
