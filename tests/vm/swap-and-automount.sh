# Swaps and automounts, which no container has: added, changed and removed by a switch, as the dry run said. One that
# is added where something is mounted is left alone, and no target fails with it.
# It may take 400 s.
# tools/check runs it.

needs enact

system vm one << 'NIX'
{
  swapDevices = [ { device = "/dev/vdb"; } ];
  fileSystems = {
    "/srv/plain" = { device = "plain"; fsType = "tmpfs"; };
    "/srv/timeout" = { device = "timeout"; fsType = "tmpfs"; options = [ "x-systemd.automount" "x-systemd.idle-timeout=600" ]; };
    "/srv/used" = { device = "used"; fsType = "tmpfs"; options = [ "x-systemd.automount" "x-systemd.idle-timeout=600" ]; };
    "/srv/gone" = { device = "gone"; fsType = "tmpfs"; options = [ "noauto" "x-systemd.automount" ]; };
  };
}
NIX
system vm two << 'NIX'
{
  swapDevices = [ { device = "/dev/disk/by-label/second"; } ];
  fileSystems = {
    "/srv/./plain/" = { device = "plain"; fsType = "tmpfs"; options = [ "x-systemd.automount" ]; };
    "/srv/timeout" = { device = "timeout"; fsType = "tmpfs"; options = [ "x-systemd.automount" "x-systemd.idle-timeout=900" ]; };
    "/srv/used" = { device = "used"; fsType = "tmpfs"; options = [ "x-systemd.automount" "x-systemd.idle-timeout=900" ]; };
    "/srv/new" = { device = "new"; fsType = "tmpfs"; options = [ "noauto" "x-systemd.automount" ]; };
  };
}
NIX
host vm
on vm mkswap /dev/vdb
on vm mkswap --label second /dev/vdc
on vm udevadm settle

# swaps: the devices, in one line
swaps() {
    ask vm swapon --noheadings --show=NAME | sort | xargs
}
# well: no unit has failed, and nobody has gone into the emergency mode
well() {
    inactive vm emergency.target
    is "$(ask vm systemctl is-system-running)" running "the state of the system"
}

step "added"
on vm enact switch --store-path "$(path_of vm one)"
well
is "$(swaps)" /dev/vdb "what is swapped to"
on vm touch /srv/plain/here /srv/used/here /srv/gone/here
is "$(unit_property vm srv-timeout.automount SubState)" waiting
is "$(unit_property vm srv-used.automount SubState)" running
active vm srv-gone.mount

step "the dry run tells what the switch then does"
on vm enact dry-activate --store-path "$(path_of vm two)" --json
forecast_of > "$place/forecast"
is "$(said | jq -c 'select(.event == "plan").plan | .swapoff, .hold')" '["/dev/vdb"]
["srv-plain.automount"]' "what is switched off and held back"
is "$(swaps)" /dev/vdb "what is swapped to after a dry run"
on vm enact switch --store-path "$(path_of vm two)" --json
jobs_of > "$place/done"
cat "$place/done"
diff -u "$place/forecast" "$place/done" || fail "the switch did other things than the dry run told"
grep -qx ':restart srv-timeout.automount' "$place/done" || fail "the idle timeout is not renewed"
well

step "changed and removed"
is "$(swaps)" /dev/vdc "what is swapped to"
exists vm /srv/plain/here
inactive vm srv-plain.automount
is "$(unit_property vm srv-timeout.automount TimeoutIdleUSec)" 15min
active vm srv-timeout.automount
exists vm /srv/used/here
on vm sh -c '! mountpoint -q /srv/gone'
active vm srv-new.automount
on vm touch /srv/new/here
active vm srv-new.mount

step "what was held back is armed by hand, once nothing is mounted there"
on vm systemctl start srv-plain.automount local-fs.target
inactive vm srv-plain.automount
on vm systemctl stop srv-plain.mount
on vm systemctl start srv-plain.automount
active vm srv-plain.automount
on vm touch /srv/plain/again
active vm srv-plain.mount

step "and back: an automount that should go stays armed, and what is mounted stays"
on vm enact rollback
says "srv-plain.automount"
well
is "$(swaps)" /dev/vdb "what is swapped to"
exists vm /srv/plain/again
active vm srv-plain.automount
active vm srv-gone.automount
on vm sh -c '! mountpoint -q /srv/new'
