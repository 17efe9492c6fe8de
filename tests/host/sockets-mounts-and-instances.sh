# Sockets that are left listening, or restarted as they ask; mounts that are remounted, restarted, unmounted or
# left to whoever mounts them, by unit files and by fstab; instances with dots in their names. Swaps are in the
# plan's fixtures only: a container has none.

needs enact
host web

# units OLD: true for the first system, false for the second
units() {
    cat << NIX
{ lib, ... }:
let
  old = $1;
  n = if old then "1" else "2";
  sleeper = { serviceConfig.ExecStart = "/bin/sleep infinity"; };
in {
  systemd.services = {
    listens = sleeper;
    asks = sleeper;
    asks-idle = sleeper;
    "instance@" = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    "other@" = sleeper;
  };
  systemd.sockets = {
    listens = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/listens" ]; socketConfig.SocketMode = if old then "0600" else "0660"; };
    asks = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/asks" ]; socketConfig = { SocketMode = if old then "0600" else "0660"; X-RestartIfChanged = true; }; };
    asks-idle = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/asks-\${n}" ]; unitConfig.X-RestartIfChanged = true; };
  };
  systemd.mounts = [
    { where = "/srv/options"; what = "tmpfs"; type = "tmpfs"; options = "size=\${n}m"; wantedBy = [ "multi-user.target" ]; }
    { where = "/srv/what"; what = "source-\${n}"; type = "tmpfs"; wantedBy = [ "multi-user.target" ]; }
    { where = "/srv/same"; what = "tmpfs"; type = "tmpfs"; wantedBy = [ "multi-user.target" ]; }
  ] ++ lib.optional old { where = "/srv/gone"; what = "tmpfs"; type = "tmpfs"; wantedBy = [ "multi-user.target" ]; };
  fileSystems = {
    "/srv/tab-options" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=\${n}m" ]; };
    "/srv/tab-device" = { device = "source-\${n}"; fsType = "tmpfs"; };
    "/srv/tab-same" = { device = "tmpfs"; fsType = "tmpfs"; };
    "/srv/tab with # in it" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=\${n}m" ]; };
    "/srv/tab-noauto" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "noauto" "size=\${n}m" ]; };
    "/srv/tab-noauto-device" = { device = "source-\${n}"; fsType = "tmpfs"; options = [ "noauto" ]; };
  } // (if old then {
    "/srv/tab-gone" = { device = "tmpfs"; fsType = "tmpfs"; };
  } else {
    "/srv/tab-new" = { device = "tmpfs"; fsType = "tmpfs"; };
  });
}
NIX
}
configuration web one <<< "$(units true)"
configuration web two <<< "$(units false)"
on web enact switch --flake /root/one
on web systemctl start listens.service asks.service instance@a.b.service instance@c.service other@a.b.service

mounts=(options what same gone tab-options tab-device tab-same tab-gone "tab with # in it")
for mount in "${mounts[@]}"; do
    on web touch "/srv/$mount/here"
    on web mountpoint -q "/srv/$mount"
done
on web sh -c '! mountpoint -q /srv/tab-noauto && ! mountpoint -q /srv/tab-noauto-device'
for unit in listens asks; do
    declare "$unit=$(pid_of web "$unit.service")"
done
a_b=$(pid_of web instance@a.b.service)
c=$(pid_of web instance@c.service)
other=$(pid_of web other@a.b.service)
socket=$(invocation_of web listens.socket)

# size_of MOUNT: as the kernel has it
size_of() {
    ask web findmnt -no OPTIONS "/srv/$1" | grep -o 'size=[0-9]*k'
}

on web enact switch --flake /root/two
is "$(ask web systemctl is-system-running)" running

step "a changed socket goes on listening as it was, and that is said; one that asks for it is restarted"
says "left as they are, though changed:" "listens.socket" "stop    asks.socket" "stop    asks.service" "start   asks.socket" "start   asks.service"
is "$(invocation_of web listens.socket)" "$socket" "the run of listens.socket"
is "$(ask web stat -c %a /run/listens)" 600
same_pid web listens.service "$listens"
is "$(ask web stat -c %a /run/asks)" 660
# shellcheck disable=SC2154  # declared by name
other_pid web asks.service "$asks"
exists web /run/asks-2
inactive web asks-idle.service
active web asks-idle.socket

step "mounts by unit files: options by a remount, another source by a new mount"
exists web /srv/options/here
is "$(size_of options)" size=2048k
missing web /srv/what/here
is "$(ask web findmnt -no SOURCE /srv/what)" source-2
exists web /srv/same/here
on web sh -c '! mountpoint -q /srv/gone'

step "mounts by fstab"
exists web /srv/tab-options/here
is "$(size_of tab-options)" size=2048k
exists web "/srv/tab with # in it/here"
is "$(size_of 'tab with # in it')" size=2048k
missing web /srv/tab-device/here
is "$(ask web findmnt -no SOURCE /srv/tab-device)" source-2
exists web /srv/tab-same/here
on web sh -c '! mountpoint -q /srv/tab-gone'
on web mountpoint -q /srv/tab-new
on web sh -c '! mountpoint -q /srv/tab-noauto && ! mountpoint -q /srv/tab-noauto-device'

step "instances, dots or not"
other_pid web instance@a.b.service "$a_b"
other_pid web instance@c.service "$c"
same_pid web other@a.b.service "$other"

step "and back: every mount is there again"
on web enact rollback
for mount in "${mounts[@]}"; do
    on web mountpoint -q "/srv/$mount"
done
for mount in options same tab-options tab-same; do
    exists web "/srv/$mount/here"
done
is "$(size_of options)" size=1024k
on web sh -c '! mountpoint -q /srv/tab-new'
exists web /run/asks-1
is "$(ask web systemctl is-system-running)" running

step "an automount, where the kernel lets a container have one"
configuration web three << 'NIX'
{ systemd.mounts = [ { where = "/srv/auto"; what = "tmpfs"; type = "tmpfs"; } ];
  systemd.automounts = [ { where = "/srv/auto"; wantedBy = [ "multi-user.target" ]; automountConfig.TimeoutIdleSec = "100"; } ]; }
NIX
attempt web enact switch --flake /root/three
if [ "$code" = 0 ] && [ "$(unit_property web srv-auto.automount ActiveState)" = active ]; then
    sed -i s/100/200/ "$(host_dir web)/root/root/three/host.nix"
    on web enact switch --flake /root/three
    says "restart srv-auto.automount"
    is "$(unit_property web srv-auto.automount TimeoutIdleUSec)" "3min 20s"
else
    says "srv-auto.automount"
fi

step "an instance that is masked is stopped, as any unit is, and the way back leaves the others alone"
configuration web four <<< '{ systemd.services."lone@".serviceConfig.ExecStart = "/bin/sleep infinity"; }'
configuration web five <<< '{ systemd.services."lone@".serviceConfig.ExecStart = "/bin/sleep infinity"; systemd.services."lone@x".enable = false; }'
on web enact switch --flake /root/four
on web systemctl start lone@x.service lone@y.service
y=$(pid_of web lone@y.service)
on web enact switch --flake /root/five
says "stop    lone@x.service"
inactive web lone@x.service
same_pid web lone@y.service "$y"
on web enact rollback
says_not lone@
same_pid web lone@y.service "$y"
on web systemctl start lone@x.service

step "a mount that moves from fstab to a unit file and back is the same mount, and what requires it runs on"
# moved NAME MODULE: with a service that requires the mount
moved() {
    configuration web "$1" << NIX
{ $2
  systemd.services.db = { unitConfig.RequiresMountsFor = "/srv/moves"; serviceConfig.ExecStart = "/bin/sleep infinity"; }; }
NIX
}
moved line 'fileSystems."/srv/moves" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=1m" ]; };'
moved file 'systemd.mounts = [ { what = "tmpfs"; where = "/srv/moves"; type = "tmpfs"; options = "size=1m"; wantedBy = [ "multi-user.target" ]; } ];'
on web mkdir -p /srv/moves
on web enact switch --flake /root/line
on web systemctl start db.service
on web touch /srv/moves/here
db=$(pid_of web db.service)
for way in file line; do
    on web enact switch --flake "/root/$way"
    exists web /srv/moves/here
    same_pid web db.service "$db"
done
