# The bus daemon is restarted, reloaded, stopped and replaced in mid-switch: the engine talks to systemd
# itself, not over that bus, so it loses nothing and the switch ends well.

needs enact
host web

# flake_with SECONDS SCRIPT: a greeter that sleeps so long, and what the activation script does
flake_with() {
    configuration web flake << NIX
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  system.activationScripts.bus = ''
    $2
  '';
  ${3:-}
}
NIX
}

# ends_well [TEXT...]: the switch to it says TEXT and restarts the greeter, and all of the host is well
ends_well() {
    local greeter

    greeter=$(pid_of web greeter.service)
    on web enact switch --flake /root/flake
    says "done:" "$@"
    says_not "refused" "Lost systemd"
    other_pid web greeter.service "$greeter"
    eventually 30 active web dbus.service
    eventually 30 on bob@web busctl --system call org.freedesktop.DBus / org.freedesktop.DBus GetId
    eventually 30 on web systemctl is-system-running
}

flake_with 1000 "true"
on web enact switch --flake /root/flake
steady=$(pid_of web steady.service)

step "by the activation script: restarted, reloaded, stopped with its socket"
bus=$(invocation_of web dbus.service)
flake_with 1001 "systemctl restart dbus.service"
ends_well
is_not "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"

bus=$(invocation_of web dbus.service)
flake_with 1002 "systemctl reload dbus.service"
ends_well
is "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"

flake_with 1003 "systemctl stop dbus.socket dbus.service"
ends_well
is_not "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"

step "by the switch itself, as its unit changed: reloaded as NixOS has it, restarted, or stopped and started"
unit=$(contents web /usr/lib/systemd/system/dbus.service)
# bus_unit N FLAGS
bus_unit() {
    flake_with "100$1" true "systemd.units.\"dbus.service\".text = ''
$unit
Environment=N=$1
$2
'';"
}
bus_unit 4 ""
ends_well
bus=$(invocation_of web dbus.service)
bus_unit 5 "X-ReloadIfChanged=true"
ends_well "reload  dbus.service"
is "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"
bus_unit 6 "X-StopIfChanged=false"
ends_well "restart dbus.service"
is_not "$(invocation_of web dbus.service)" "$bus" "the run of dbus.service"
bus_unit 7 ""
ends_well "stop    dbus.service" "start   dbus.service"

step "by dbus-broker in its place, and back"
flake_with 1008 true
ends_well
flake_with 1009 "systemctl stop dbus.socket dbus.service
    ln -s /usr/lib/systemd/system/dbus-broker.service /run/systemd/system/dbus.service
    systemctl daemon-reload
    systemctl start dbus.socket dbus.service"
ends_well
is "$(unit_property web dbus.service Id)" dbus-broker.service
is "$(ask web cat "/proc/$(pid_of web dbus-broker.service)/comm")" dbus-broker-lau
flake_with 1010 "systemctl stop dbus.socket dbus-broker.service
    rm /run/systemd/system/dbus.service
    systemctl daemon-reload
    systemctl start dbus.socket dbus.service"
ends_well
is "$(unit_property web dbus.service Id)" dbus.service
is "$(ask web cat "/proc/$(pid_of web dbus.service)/comm")" dbus-daemon

same_pid web steady.service "$steady"
