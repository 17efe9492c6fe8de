# A rollback leads to the system that ran before the running one began to run: also over a reboot, past
# a test that a reboot has undone, and where another tool has switched; never to one that has failed.

needs enact
host web

# system NAME [LINES]
system() {
    configuration web "$1" << NIX
{ environment.etc.motto.text = "$1"; ${2:-} }
NIX
    built web "$1"
}

runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}" "the running system"
}

# leads_to SYSTEM: what is marked so
leads_to() {
    is "$(ask web enact generations --json | jq -r '.generations[] | select(.rollback) | .toplevel' | sort -u)" "$1" \
        "where a rollback leads"
}

one=$(system one)
two=$(system two)
three=$(system three)
bad=$(system bad 'systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };')
worse=$(system worse 'systemd.services.walker = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };')

step "where all that ran before has failed there is no way back, and the reason is said"
on web rm -rf /var/lib/enact
on web sh -c 'rm /nix/var/nix/profiles/system*'
refused web 4 enact switch --no-rollback --store-path "$bad"
on web rm -rf /var/lib/enact
refused web 4 enact switch --no-rollback --store-path "$worse"
refused web 4 enact switch --no-rollback --store-path "$bad"
on web enact switch --store-path "$one"
snapshot web
refused web 1 enact rollback
says "'$bad', has failed" "enact generations" "Nothing was changed"
unchanged web

step "over a reboot: to what ran before that, and not to what ran before an older switch"
on web enact switch --store-path "$two"
on web enact switch --store-path "$three"
on web enact boot --store-path "$two"
leads_to "$two"
reboot web
runs two
leads_to "$three"
on web enact rollback
runs three

step "a test that a reboot has undone is no place to go back to"
on web enact test --store-path "$one"
is "$(ask web readlink /nix/var/nix/gcroots/enact/good)" "$three" "the last that a switch found good"
leads_to "$three"
reboot web
runs three
leads_to "$two"

step "one that was kept in spite of its failed unit is passed over"
refused web 4 enact switch --no-rollback --store-path "$bad"
leads_to "$three"
on web enact switch --store-path "$one"
leads_to "$three"
on web enact rollback
runs three

step "another tool goes back to an earlier system"
on web enact switch --store-path "$one"
on web nix-env --profile /nix/var/nix/profiles/system --set "$two"
on web "$two/bin/switch-to-configuration" switch
leads_to "$one"
on web enact rollback
runs one
at_its_end web
