# A host that keeps nothing where enact keeps its state, neither in /var/lib nor beside the store: a switch says so and
# is as safe as any while the host is up; after a power cut what booted is whole, though nobody knows of the switch.

needs enact
host web

system() { # NAME LINE
    configuration web "$1" << NIX
{
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

# volatile: as a system that boots into memory has it
volatile() {
    on web sh -c 'mkdir -p /nix/var/enact && mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /nix/var/enact'
}

runs() { # NAME
    is "$(running_of web)" "${!1}" "the running system"
    is "$(profile_of web)" "${!1}" "the boot default"
    is "$(contents web /etc/motto)" "$1"
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    active web greeter.service
    at_its_end web
}

one=$(system one "")
held=$(system held 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
told="neither '/var/lib/enact' nor '/nix/var/enact' outlives the power"

step "where one of them does, there is nothing to say"
on web enact switch --store-path "$one"
says_not "outlives the power"

step "it is said, and all the rest is as ever: the engine is killed, and its dead man goes back"
volatile
hold web
begin switch web enact switch --store-path "$held"
eventually 30 held web
exists web /nix/var/enact/transaction.json
on web systemctl kill --kill-whom=all --signal=KILL "$(engine_of web)"
ends switch 3
says "$told" "Rolled back: '$one' runs again"
let_go web
runs one

step "the power goes in the middle: the old system boots, and the next switch works"
hold web
begin switch web enact switch --store-path "$held"
eventually 30 held web
power_cut web
ends switch 137
boot web
missing web /nix/var/enact/transaction.json
is "$(running_of web)" "$one"
is "$(profile_of web)" "$one"
volatile
on web enact switch --store-path "$held"
says "$told"
runs held
