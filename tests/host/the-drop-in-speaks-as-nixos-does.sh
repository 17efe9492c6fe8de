# Called as a system's bin/switch-to-configuration the engine is NixOS' own program: its actions, order,
# words and exit codes, without a profile change, a short cut or a rollback.

needs enact
host web

step "a change, told in NixOS' words"
configuration web one << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.services.kept = { wantedBy = [ "multi-user.target" ]; restartIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1001"; };
  systemd.services.nudged = { wantedBy = [ "multi-user.target" ]; reloadIfChanged = true; serviceConfig = { ExecStart = "/bin/sleep 1001"; ExecReload = "/bin/true"; }; };
  systemd.services.quick = { wantedBy = [ "multi-user.target" ]; stopIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
one=$(built web one)
profile=$(profile_of web)
on web "$one/bin/switch-to-configuration" test
says "Checking switch inhibitors... done" "activating the configuration..." "setting up /etc..." \
    "restarting sysinit-reactivation.target" "the following new units were started: greeter.service, kept.service, nudged.service, quick.service"
says_not "starting the following units"
is "$(running_of web)" "$one"
is "$(profile_of web)" "$profile"

configuration web two << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  systemd.services.kept = { wantedBy = [ "multi-user.target" ]; restartIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  systemd.services.nudged = { wantedBy = [ "multi-user.target" ]; reloadIfChanged = true; serviceConfig = { ExecStart = "/bin/sleep 1002"; ExecReload = "/bin/true"; }; };
  systemd.services.quick = { wantedBy = [ "multi-user.target" ]; stopIfChanged = false; serviceConfig.ExecStart = "/bin/sleep 1002"; }; }
NIX
two=$(built web two)
snapshot web
on web "$two/bin/switch-to-configuration" dry-activate
says "would stop the following units: greeter.service" "would NOT stop the following changed units: kept.service" \
    "would activate the configuration..." "would reload the following units: nudged.service" \
    "would restart the following units: quick.service" "would start the following units: greeter.service"
unchanged web

on web "$two/bin/switch-to-configuration" switch
says "stopping the following units: greeter.service" "NOT restarting the following changed units: kept.service" \
    "activating the configuration..." "reloading the following units: nudged.service" \
    "restarting the following units: quick.service" "starting the following units: greeter.service"
is "$(profile_of web)" "$profile"

step "a failing unit is told, and the new system runs all the same: exit 4"
configuration web bad << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; }; }
NIX
bad=$(built web bad)
refused web 4 "$bad/bin/switch-to-configuration" test
says "Failed to start greeter.service" "warning: the following units failed: greeter.service" "Active: failed"
is "$(running_of web)" "$bad"

step "a failing activation script: exit 2, and the units are brought up"
configuration web script << 'NIX'
{ system.activationScripts.broken = "(exit 3)"; }
NIX
script=$(built web script)
refused web 2 "$script/bin/switch-to-configuration" test
says "Failed to run activate script"
says "Activation script snippet 'broken' failed (3)"
is "$(running_of web)" "$script"

step "wrong words, wrong users, a held lock"
refused web 1 "$one/bin/switch-to-configuration"
says "Usage: switch-to-configuration [check|switch|boot|test|dry-activate]"
refused web 1 "$one/bin/switch-to-configuration" build
refused bob@web 1 "$one/bin/switch-to-configuration" test
says "Error: switch-to-configuration must be run as the root user"
refused web 1 /usr/libexec/enact/switch-to-configuration test
says 'Error: missing required environment variable $OUT'
on web "$one/bin/switch-to-configuration" check
refused web 11 flock /run/nixos/switch-to-configuration.lock "$one/bin/switch-to-configuration" test
says "Could not acquire lock"
on web mv /etc/NIXOS /etc/NIXOS.away
on web mv /etc/os-release /etc/os-release.away
write web /etc/os-release <<< 'ID=another'
refused web 1 "$one/bin/switch-to-configuration" test
says "This is not a NixOS installation!"
on web sh -c 'rm /etc/os-release; mkdir /etc/os-release'
refused web 1 "$one/bin/switch-to-configuration" test
says "Failed to parse os-release: Is a directory" "This is not a NixOS installation!"
on web mv /etc/NIXOS.away /etc/NIXOS
on web "$one/bin/switch-to-configuration" dry-activate
says "Failed to parse os-release: Is a directory" "would activate the configuration..."
on web "$one/bin/switch-to-configuration" test
says "Failed to parse os-release: Is a directory"
on web rm -rf /etc/os-release
on web "$one/bin/switch-to-configuration" test
says "Failed to parse os-release: No such file or directory"
on web env -i "$one/bin/switch-to-configuration" test
is "$(running_of web)" "$one"
on web journalctl -t nixos
says "switching to system configuration $one" "finished switching to system configuration $one"
