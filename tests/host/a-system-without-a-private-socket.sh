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

step "with systemd executed anew, and the bus away in the activation and while a job runs"
# shellcheck disable=SC2016  # for the shell of the host
flake_with 1004 'systemd.settings.Manager.DefaultTimeoutStopSec = "77s";
  systemd.services.shaker = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot";
    ExecStart = "/bin/sh -c \"systemctl --no-block restart dbus.service; sleep 3\""; }; };
  system.activationScripts.bus = "systemctl --no-block restart dbus.service; sleep 1";'
on web mount --bind /run/nothing /run/systemd/private
bus=$(invocation_of web dbus.service)
goes
is "$(unit_property web shaker.service Result)" success
is_not "$(invocation_of web shaker.service)" "" "the run of shaker.service"
is_not "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"
says "restarting systemd"
is "$(ask web systemctl show --property DefaultTimeoutStopUSec --value)" "1min 17s"
on web umount /run/systemd/private

step "a way that stops that very bus is not begun: nobody could go on from there"
unit=$(contents web /usr/lib/systemd/system/dbus.service)
flake_with 1005 "systemd.units.\"dbus.service\".text = ''
$unit
'';"
on web enact switch --flake /root/flake
flake_with 1006 "systemd.units.\"dbus.service\".text = ''
$unit
Environment=N=1
'';"
on web mount --bind /run/nothing /run/systemd/private
snapshot web
on web enact plan --flake /root/flake
says "note: a switch would be refused: systemd can be reached over the system bus alone"
refused web 1 enact switch --flake /root/flake
says "systemd can be reached over the system bus alone here, and 'dbus.service' would be stopped" "Nothing was changed."
refused web 1 "$(built web flake)/bin/switch-to-configuration" test
says "Error: systemd can be reached over the system bus alone here"
unchanged web
on web umount /run/systemd/private
on web enact switch --flake /root/flake
says "stop    dbus.service"

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
