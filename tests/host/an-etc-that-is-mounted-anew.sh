# The activation script of a system mounts a new /etc over the old one, as NixOS' own does where /etc is an overlay: the
# switch works on with the one that is there now, forwards and on the way back, and by whoever comes after.
# It may take 240 s.

needs enact
host web

# system NAME [MORE]: has an /etc of its own mounted before anything is put there
system() {
    configuration web "$1" << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  systemd.services."only-$1" = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.a-new-etc = ''
    new=\$(mktemp -d /run/etc.XXXXXX)
    chmod 755 "\$new"
    cp -a /etc/. "\$new"
    mount --bind "\$new" /etc
  '';
  system.activationScripts.etc.deps = [ "a-new-etc" ];
  ${2:-}
}
NIX
    built web "$1"
}

runs() { # NAME OTHER
    is "$(running_of web)" "${!1}" "the running system"
    is "$(profile_of web)" "${!1}" "the boot default"
    is "$(contents web /etc/motto)" "$1"
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    active web greeter.service
    active web "only-$1.service"
    inactive web "only-$2.service"
    same_pid web steady.service "$steady"
    at_its_end web
}

# layers: how many file systems lie at /etc, one over the other
layers() {
    ask web sh -c 'findmnt --list --noheadings --output TARGET | grep -cx /etc || true'
}

steady=$(pid_of web steady.service)
one=$(system one)
two=$(system two 'systemd.services.bad = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/usr/bin/test -e /run/well"; }; };')
held=$(system held 'system.activationScripts.hold = { text = "/usr/local/bin/hold-here"; deps = [ "etc" ]; };')

step "forwards: the units are those of the new one"
on web enact switch --store-path "$one"
is "$(layers)" 1 "mounts at /etc"
runs one two

step "and back out of one that fails"
refused web 3 enact switch --store-path "$two"
says "bad.service" "Rolled back: '$one' runs again"
is "$(layers)" 3 "mounts at /etc"
runs one two

step "the engine is killed right after: its dead man sees the same"
hold web
begin switch web enact switch --store-path "$held"
eventually 30 held web
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends switch 3
let_go web
runs one held
