# A switch that goes wrong after activation began - a unit, an activation script, the boot loader
# installer - ends with 3: the system from before runs again and is the boot default, and the failed
# one is kept for those who want to know why.

needs enact
host web

# good TEXT: the configuration that all steps start from, and what each changes about it
good() {
    cat << NIX
{ pkgs, lib, ... }: {
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = lib.mkDefault "/bin/sleep 1001";
  };
  systemd.services.farewell = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep 1002";
  };
  environment.etc.motto.text = lib.mkDefault "old";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = lib.mkDefault (pkgs.writeShellScript "install" ''
    echo "installing \$1"
    echo "\$1" >> /root/installed
  '');
  imports = [ { $1 } ];
}
NIX
}

commands_of() {
    unit_property web "$1" ExecStart
}

# as_before: the old system runs as it did, and everything says so
as_before() {
    is "$(running_of web)" "$old" "the running system"
    is "$(profile_of web)" "$old" "the boot default"
    is "$(contents web /etc/motto)" old
    active web greeter.service
    active web farewell.service
    [[ $(commands_of greeter.service) == *"sleep 1001"* ]] || fail "greeter is not the old one"
    same_pid web steady.service "$steady"
    on web systemctl is-system-running
    is "$(generations_of web | xargs)" "1 2" "the generations"
    missing web /nix/var/nix/gcroots/enact/candidate
    is "$(ask web sh -c 'ls -A /nix/var/nix/profiles' | grep -c '^\.' || true)" 0 "half-made links"
}

# rolled_back NAME TEXT...: /root/NAME is switched to, in vain, and each TEXT is said
rolled_back() {
    local system

    system=$(built web "$1")
    refused web 3 enact switch --flake "/root/$1"
    says "activating" "rolling back" "Rolled back: '$old' runs again." "${@:2}"
    says_not "done:"
    as_before
    exists web "/nix/var/nix/gcroots/enact/failed/${system##*/}"
    is "$(ask web readlink "/nix/var/nix/gcroots/enact/failed/${system##*/}")" "$system"
    on web enact status
    says "last switch" "exit code 3"
    says_not "interrupted" "under way"
}

configuration web good <<< "$(good '')"
on web enact switch --flake /root/good
old=$(running_of web)
steady=$(pid_of web steady.service)

step "a unit that does not start: its last words are shown"
configuration web oneshot <<< "$(good '
  systemd.services.greeter.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c \"echo nobody to greet; exit 3\""; };
  systemd.services.farewell.enable = false;
  systemd.services.extra = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1003"; };
  environment.etc.motto.text = "new";')"
rolled_back oneshot "greeter.service is failed" "nobody to greet" "A unit failed: greeter.service"
inactive web extra.service

step "a unit that starts and dies at once"
configuration web dying <<< "$(good '
  systemd.services.greeter.serviceConfig.ExecStart = "/bin/sh -c \"echo I die; exit 4\"";')"
rolled_back dying "greeter.service" "I die"

step "a unit that starts, dies and starts again for ever"
configuration web looping <<< "$(good '
  systemd.services.greeter.serviceConfig = {
    ExecStart = "/bin/sh -c \"echo I die again; exit 4\"";
    Restart = "always";
    RestartSec = "100ms";
  };
  systemd.services.greeter.startLimitBurst = 1000;')"
rolled_back looping "greeter.service" "I die again"

step "a unit that times out while it starts"
configuration web timeout <<< "$(good '
  systemd.services.greeter.serviceConfig = {
    Type = "oneshot";
    ExecStart = "/bin/sleep infinity";
    TimeoutStartSec = "500ms";
  };')"
rolled_back timeout "greeter.service"

step "an activation script that fails, with its output"
configuration web script <<< "$(good '
  system.activationScripts.broken = "echo about to break; false";
  environment.etc.motto.text = "new";')"
rolled_back script "about to break" "The activation script" "failed"

step "one that has failed is not tried again where nobody looks on"
refused web 1 enact switch --flake /root/script --unattended
says "has failed before and is not tried again unattended. Nothing was changed."

step "a boot loader installer that fails: the one of the old system runs again"
configuration web installer <<< "$(good '
  boot.loader.external.installHook = pkgs.writeShellScript "install-in-vain" "echo no room on the ESP >&2; exit 1";
  environment.etc.motto.text = "new";')"
rolled_back installer "no room on the ESP" "boot loader installer"
is "$(contents web /root/installed | tail -n 1)" "$old"

step "where another system is only tried out, it is still the boot default's installer"
configuration web tried <<< "$(good 'environment.etc.motto.text = "tried";')"
on web enact test --flake /root/tried
refused web 3 enact switch --flake /root/installer
says "Rolled back"
is "$(contents web /etc/motto)" tried
is "$(profile_of web)" "$old"
is "$(contents web /root/installed | tail -n 1)" "$old"
on web enact test --flake /root/good
as_before

step "the way back is closed, too: 5, and loudly"
configuration web closed <<< "$(good '
  systemd.services.greeter.serviceConfig.ExecStart = "/bin/false";
  system.activationScripts.burn = "rm -f /root/bridge";
  systemd.services.farewell.enable = false;')"
configuration web open <<< "$(good '
  systemd.services.farewell.serviceConfig.ExecStartPre = "/usr/bin/test -e /root/bridge";')"
write web /root/bridge <<< "here"
on web enact switch --flake /root/open
refused web 5 enact switch --flake /root/closed
says "greeter.service" "farewell.service" "failed, too"
on web enact status
says "exit code 5" "interrupted" "rollback"

step "and a switch to what is well puts all of that right"
on web enact switch --flake /root/good
is "$(running_of web)" "$old"
is "$(profile_of web)" "$old"
active web greeter.service
active web farewell.service
on web systemctl is-system-running
same_pid web steady.service "$steady"
