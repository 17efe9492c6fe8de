# Where systemd's private socket is not to be had, the engine talks to it over the system bus, and a switch
# goes as it always does, systemd executed anew included.

needs enact
host web

# flake_with N
flake_with() {
    configuration web flake << NIX
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  systemd.services.quick = { wantedBy = [ "multi-user.target" ]; stopIfChanged = false; serviceConfig.ExecStart = "/bin/sleep $1"; }; ${2:-} }
NIX
}
flake_with 1000
on web enact switch --flake /root/flake
steady=$(pid_of web steady.service)

# goes N: a switch to the next greeter, over the bus
goes() {
    local greeter quick

    greeter=$(pid_of web greeter.service)
    quick=$(pid_of web quick.service)
    on web enact switch --flake /root/flake
    says "stop    greeter.service" "start   greeter.service" "restart quick.service" "done:"
    other_pid web greeter.service "$greeter"
    other_pid web quick.service "$quick"
    same_pid web steady.service "$steady"
}

step "it is not there"
on web mv /run/systemd/private /run/systemd/away
flake_with 1001
goes
on web mv /run/systemd/away /run/systemd/private

step "it is something else"
on web touch /run/nothing
on web mount --bind /run/nothing /run/systemd/private
flake_with 1002
goes

step "a unit fails all the same, and the host goes back"
flake_with 1003 'systemd.services.bad = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };'
refused web 3 enact switch --flake /root/flake
says "A unit failed: bad.service"
on web umount /run/systemd/private

step "with systemd executed anew, and the bus away while a job runs"
flake_with 1004 'systemd.settings.Manager.DefaultTimeoutStopSec = "77s";'
on web mount --bind /run/nothing /run/systemd/private
goes
says "restarting systemd"
is "$(ask web systemctl show --property DefaultTimeoutStopUSec --value)" "1min 17s"
on web umount /run/systemd/private

step "neither the one nor the other: nothing is begun"
snapshot web
flake_with 1005
system=$(built web flake)
on web mount --bind /run/nothing /run/systemd/private
on web mount --bind /run/nothing /run/dbus/system_bus_socket
attempt web enact switch --store-path "$system"
is "$code" 1
says "Cannot reach systemd"
on web umount /run/systemd/private
on web umount /run/dbus/system_bus_socket
unchanged web
