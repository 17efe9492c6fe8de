# A switch changes, restarts or takes away what enact itself stands on - its recovery unit, its program,
# systemd's own process in the middle of it, units named as its own are: the engine at work and its dead
# man's switch are left alone, and the program that began a switch is the one that ends it.

needs enact
host web

system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  $2
}
NIX
    built web "$1"
}

# runs NAME: and is the boot default
runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}" "the running system"
    is "$(profile_of web)" "${!1}" "the boot default"
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    active web greeter.service
    same_pid web steady.service "$steady"
    eventually 30 at_its_end web
    on web systemctl is-system-running
}

recovery() {
    echo "systemd.services.enact-recover = {
        description = \"$1\";
        wantedBy = [ \"multi-user.target\" ];
        unitConfig.ConditionPathExists = \"/var/lib/enact/transaction.json\";
        serviceConfig = { Type = \"oneshot\"; ExecStart = \"/usr/libexec/enact/enact-activate recover\"; $2 };
    };"
}

steady=$(pid_of web steady.service)
one=$(system one "$(recovery one 'SuccessExitStatus = 6;')")
on web enact switch --store-path "$one"

step "another recovery unit, which is not guarded against running in a switch"
two=$(system two "$(recovery two 'SuccessExitStatus = 6;')")
on web enact switch --store-path "$two"
says "done: '$two' runs"
runs two

step "and one that fails when it is run there: back"
bad=$(system bad "$(recovery three 'ExecStartPre = "/bin/false";')")
refused web 3 enact switch --store-path "$bad"
says "enact-recover.service" "Rolled back: '$two' runs again"
runs two

step "units named as enact's own come and go, by a pattern that matches all of them"
three=$(system three '
  systemd.services.enact-20200101-000000-000000 = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.daemons = "/bin/systemctl daemon-reload; /bin/systemctl reset-failed";')
on web enact switch --store-path "$three"
active web enact-20200101-000000-000000.service
on web enact switch --store-path "$two"
inactive web enact-20200101-000000-000000.service
runs two

step "the program is exchanged in the middle"
four=$(system four '
  system.activationScripts.exchange = "
    if [ ! -e /usr/libexec/enact/enact-activate.old ]; then
        mv /usr/libexec/enact/enact-activate /usr/libexec/enact/enact-activate.old
        cp /usr/libexec/enact/enact-activate.old /usr/libexec/enact/enact-activate
    fi
  ";')
on web enact switch --store-path "$four"
runs four

step "and killed after that: its dead man's switch runs yet"
five=$(system five '
  system.activationScripts.exchange = "
    mv -f /usr/libexec/enact/enact-activate /usr/libexec/enact/enact-activate.old
    /usr/local/bin/hold-here
  ";')
hold web
begin switch web enact switch --store-path "$five"
eventually 30 held web
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
ends switch 3
says "Rolled back: '$four' runs again"
is "$(running_of web)" "$four"
is "$(profile_of web)" "$four"
eventually 30 at_its_end web
