# A system that mounts something at the state directory or above it, or no longer does, is not taken live: the
# record would be out of sight in the middle. It is refused with 1, and `enact boot` and a reboot take it. A plan and
# a dry run say so before.
# It may take 300 s.

needs enact
host web
on web mkdir -p /persist/varlib
on web enact switch --force --store-path "$(running_of web)"
old=$(running_of web)
configuration web var << 'NIX'
{
  systemd.mounts = [ { what = "/persist/varlib"; where = "/var/lib"; type = "none"; options = "bind"; wantedBy = [ "local-fs.target" ]; } ];
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
}
NIX
configuration web beside << 'NIX'
{ systemd.mounts = [ { what = "/persist/varlib"; where = "/var/lib/other"; type = "none"; options = "bind"; wantedBy = [ "local-fs.target" ]; } ]; }
NIX
var=$(built web var) beside=$(built web beside)

step "a mount that is new"
snapshot web
for verb in "switch" "switch --force" "test"; do
    # shellcheck disable=SC2086
    refused web 1 enact $verb --store-path "$var"
    says "What is mounted at '/var/lib' would change" "'var-lib.mount' is to be started" "enact boot" "Nothing was changed"
    unchanged web
done

for verb in plan dry-activate; do
    on web enact $verb --store-path "$var"
    says_on_stdout "a switch would be refused: What is mounted at '/var/lib' would change" "'var-lib.mount' is to be started"
done
is "$(ask bob@web enact plan --json --store-path "$var" | jq '.notes | map(select(startswith("a switch would be refused"))) | length')" 1
unchanged web

step "one beside it concerns nobody"
on web enact plan --store-path "$beside"
says_not "would be refused"
on web enact switch --store-path "$beside"
active web var-lib-other.mount
on web enact switch --store-path "$old"
inactive web var-lib-other.mount

step "'enact boot' and a reboot take it"
on web enact boot --store-path "$var"
reboot web
is "$(running_of web)" "$var"
on web mountpoint /var/lib
on web enact switch --force --store-path "$var"

step "a mount that goes"
snapshot web
refused web 1 enact switch --store-path "$old"
says "'var-lib.mount' is to be stopped" "enact boot" "Nothing was changed"
on web enact plan --store-path "$old"
says "a switch would be refused" "'var-lib.mount' is to be stopped"
unchanged web
on web enact boot --store-path "$old"
reboot web
is "$(running_of web)" "$old"
refused web 32 mountpoint /var/lib
at_its_end web
