# enact-recover.service is part of every boot: it ends what a power cut interrupted before the boot is
# over, and does nothing on a healthy one. A switch starts the targets again, and leaves it alone in the
# middle of its own open record; on a host without our units whoever changes something next ends it first.

needs enact
host web
step "a healthy boot"
on web systemctl is-enabled enact-recover.service
inactive web enact-recover.service
is "$(unit_property web enact-recover.service Result)" success "its result"
is "$(unit_property web enact-recover.service ExecMainStartTimestamp)" "" "its start"
is "$(unit_property web enact-recover.service ConditionResult)" no "its condition"

step "nothing about it makes a mount namespace, and it is over before the boot is"
for property in PrivateMounts PrivateTmp PrivateDevices ProtectKernelTunables ProtectControlGroups \
    ProtectHome ProtectSystem DynamicUser; do
    is "$(unit_property web enact-recover.service "$property")" no "$property"
done
for property in ReadWritePaths ReadOnlyPaths InaccessiblePaths BindPaths BindReadOnlyPaths TemporaryFileSystem \
    RootDirectory RootImage MountFlags; do
    is "$(unit_property web enact-recover.service "$property")" "" "$property"
done
on web systemctl show --property=After --value multi-user.target
says enact-recover.service

step "a switch, which has a record open and starts multi-user.target, is not recovered"
configuration web one << 'NIX'
{ systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/usr/local/bin/hold-here"; };
  };
}
NIX
hold web
begin switch web enact switch --flake /root/one#web
eventually 30 held web
exists web /var/lib/enact/transaction.json
# As often as anybody likes, not only by the switch
on web systemctl start enact-recover.service
inactive web enact-recover.service
is "$(unit_property web enact-recover.service ExecMainStartTimestamp)" "" "its start"
let_go web
ends switch 0
missing web /var/lib/enact/transaction.json

step "the power goes in the middle of a switch"
good=$(running_of web)
configuration web two << 'NIX'
{ systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/usr/local/bin/hold-here --again"; };
  };
}
NIX
hold web
begin switch web enact switch --flake /root/two#web
eventually 30 held web
exists web /var/lib/enact/transaction.json
power_cut web
ends switch 137
boot web
is "$(running_of web)" "$good"
is "$(profile_of web)" "$good"
missing web /var/lib/enact/transaction.json
inactive web enact-recover.service
is "$(unit_property web enact-recover.service Result)" success "its result"
is "$(unit_property web enact-recover.service ExecMainStatus)" 0 "its exit code"
journal_says web "was interrupted in phase 'activate'" -u enact-recover.service
recovered=$(unit_property web enact-recover.service ExecMainExitTimestampMonotonic)
booted=$(unit_property web multi-user.target ActiveEnterTimestampMonotonic)
[ "$recovered" -gt 0 ] && [ "$recovered" -le "$booted" ] ||
    fail "it was not over before the boot was" "recovered at $recovered, booted at $booted"

step "a host without our units: what is open stays open, until somebody changes something"
host bare without-units
refused bare 4 systemctl status enact-recover.service
first=$(running_of bare)
configuration bare spare << 'NIX'
{ environment.etc.motto.text = "spare"; }
NIX
spare=$(built bare spare)
on bare nix-env --profile /nix/var/nix/profiles/system --set "$spare"
on bare nix-env --profile /nix/var/nix/profiles/system --set "$first"
configuration bare one << 'NIX'
{ systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/usr/local/bin/hold-here"; };
  };
}
NIX
# interrupted: the power goes in the middle of a switch
interrupted() {
    hold bare
    begin switch bare enact switch --flake /root/one#bare
    eventually 30 held bare
    power_cut bare
    ends switch 137
    boot bare
    is "$(running_of bare)" "$first"
    exists bare /var/lib/enact/transaction.json
}
interrupted
on bare enact switch --flake /root/one#bare
says "interrupted"
active bare greeter.service
missing bare /var/lib/enact/transaction.json
on bare enact switch --store-path "$first"

step "a dry run tells of it and leaves it; pinning and deleting come after it"
interrupted
record=$(contents bare /var/lib/enact/transaction.json)
on bare enact dry-activate --store-path "$spare"
says "a switch was interrupted and is not at its end"
is "$(contents bare /var/lib/enact/transaction.json)" "$record" "the record"
on bare enact generations pin "$spare"
says "an interrupted switch is brought to its end first" "'$first' runs" "Kept until unpinned"
missing bare /var/lib/enact/transaction.json
on bare enact generations unpin "$spare"
says_not "interrupted"
on bare enact dry-activate --store-path "$spare"
says_not "interrupted"
interrupted
on bare enact generations delete 2
says "an interrupted switch is brought to its end first" "'$first' runs" "Deleted 1 generation"
missing bare /var/lib/enact/transaction.json
at_its_end bare
