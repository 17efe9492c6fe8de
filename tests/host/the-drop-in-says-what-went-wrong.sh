# Called as a system's bin/switch-to-configuration, the engine has NixOS' own words and exit codes for what can go
# wrong on the way, before the host is touched and after.
# It may take 240 s.

needs enact
host web

# system NAME [MORE]: its store path
system() {
    configuration web "$1" << NIX
{ lib, ... }: {
  environment.etc.motto.text = "$1";
  ${2-}
}
NIX
    built web "$1"
}

# drop_in SYSTEM ACTION, drop_in_refused SYSTEM ACTION CODE
drop_in() {
    on web "$1/bin/switch-to-configuration" "$2"
}
drop_in_refused() {
    refused web "$3" "$1/bin/switch-to-configuration" "$2"
}

plain=$(system plain)
drop_in "$plain" test

step "before anything is touched: checks, boot loader, init, lock, folder"
snapshot web
checked=$(system checked 'system.preSwitchChecks.never = "exit 3";')
drop_in_refused "$checked" switch 1
says "Pre-switch check 'never' failed" "Pre-switch checks failed"
says_not "activating the configuration..."
loading=$(system loading 'system.build.installBootLoader = lib.mkForce "/bin/false";')
drop_in_refused "$loading" switch 1
says "Failed to install bootloader"
says_not "activating the configuration..."
drop_in_refused "$loading" boot 1
other=$(system other 'system.extraSystemBuilderCmds = "printf '"'systemd 99'"' > init-interface-version";')
for action in test dry-activate; do
    drop_in_refused "$other" "$action" 100
    says "Warning: the new NixOS configuration has an ‘init’ that is" \
        "incompatible with the current configuration.  The new configuration" \
        "won't take effect until you reboot the system."
done
without=$(system without 'system.extraSystemBuilderCmds = "rm init-interface-version";')
drop_in_refused "$without" test 1
says "Error: Failed to read init-interface-version of the new system"
on web sh -c 'rm /run/nixos/switch-to-configuration.lock; mkdir /run/nixos/switch-to-configuration.lock'
drop_in_refused "$plain" test 1
says "Could not open lock"
on web sh -c 'mv /run/nixos /run/nixos.away; : > /run/nixos'
drop_in_refused "$plain" test 1
says "Could not open lock"
on web sh -c 'rm /run/nixos; mv /run/nixos.away /run/nixos; rmdir /run/nixos/switch-to-configuration.lock'
unchanged web
drop_in "$plain" boot
says "Warning: do not know how to make this configuration bootable; please enable a boot loader."

step "sysinit-reactivation.target: refused, failed, and not there"
masked=$(system masked 'systemd.targets.sysinit-reactivation.enable = false;')
drop_in_refused "$masked" test 4
says "restarting sysinit-reactivation.target" \
    "Failed to restart sysinit-reactivation.target: Unit sysinit-reactivation.target is masked."
is "$(running_of web)" "$masked"
failing=$(system failing 'systemd.services.early = { requiredBy = [ "sysinit-reactivation.target" ]; before = [ "sysinit-reactivation.target" ];
    unitConfig.DefaultDependencies = false; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };')
drop_in_refused "$failing" test 4
says "restarting sysinit-reactivation.target" "Failed to restart sysinit-reactivation.target" \
    "warning: the following units failed: early.service"
drop_in "$plain" test

step "jobs: one that fails, and one that systemd refuses"
worker() { # NAME MORE: a service that is changed by MORE
    system "$1" "systemd.services.worker = { wantedBy = [ \"multi-user.target\" ]; serviceConfig = { $2 }; };"
}
steady=$(worker steady 'ExecStart = "/bin/sleep 1001"; ExecReload = "/bin/true";')
drop_in "$steady" test
says "the following new units were started: worker.service"
stubborn=$(worker stubborn 'ExecStart = "/bin/sleep 1001"; ExecReload = "/bin/false";')
drop_in_refused "$stubborn" test 4
says "reloading the following units: worker.service" "Failed to reload worker.service"
drop_in "$steady" test
senseless=$(worker senseless 'Type = "simple"; ExecReload = "/bin/true";')
drop_in_refused "$senseless" test 4
says "stopping the following units: worker.service" "Failed to start worker.service: Unit worker.service has a bad unit file setting."
is "$(running_of web)" "$senseless"
drop_in "$plain" test
drop_in "$steady" test
on web sh -c 'mkdir -p /run/systemd/system/worker.service.d; printf "[Unit]\nRefuseManualStop=yes\n" > /run/systemd/system/worker.service.d/stays.conf
    systemctl daemon-reload'
drop_in_refused "$plain" test 4
says "stopping the following units: worker.service" "Failed to stop worker.service: Operation refused"
active web worker.service
on web sh -c 'rm -r /run/systemd/system/worker.service.d; systemctl daemon-reload; systemctl stop worker.service'

step "at once: the last words of what fails, also of what a target brings along, and what is waited for"
burning=$(system burning 'systemd.services.late = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep 13"; }; };
    systemd.services.burning = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot";
        ExecStart = "/bin/sh -c \"echo the roof is on fire; exit 3\""; }; };')
begin burning web "$burning/bin/switch-to-configuration" test
eventually 6 said_so_far burning "burning.service is failed (exit-code); its last words:"
said_so_far burning "  | the roof is on fire"
state_is web late.service activating
eventually 13 said_so_far burning "waiting to start late.service: 5 s of at most "
ends burning 4
drop_in "$plain" test

step "a user's own units that come to the system: done after the user's activation, and said so"
on web loginctl enable-linger alice
eventually 30 on alice@web systemctl --user is-system-running
printf '[Service]\nExecStart=/bin/sleep 1001\n' | write web /home/alice/.config/systemd/user/moves.service
on web chown -R alice: /home/alice
on alice@web systemctl --user daemon-reload
on alice@web systemctl --user start moves.service
moving=$(system moving 'systemd.user.services.moves.serviceConfig.ExecStart = "/bin/sleep 1002";
    system.activationScripts.home = "rm -f /home/alice/.config/systemd/user/moves.service";')
drop_in "$moving" dry-activate
says "would take over the following user units from the user's own definitions: moves.service"
drop_in "$moving" test
says "restarting (post-activation) the following user units: moves.service"
