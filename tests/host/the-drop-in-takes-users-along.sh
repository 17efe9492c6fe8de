# Called as a system's bin/switch-to-configuration, the engine forecasts for users' service managers what it then does
# with them, in the same words; a manager that ends in mid-switch is a warning that names the user.
# It may take 180 s.

needs enact
host web

# system NAME [MORE]: user units of each kind, told apart by NAME
system() {
    configuration web "$1" << NIX
{
  environment.etc.motto.text = "$1";
  systemd.user.services.companion = { wantedBy = [ "default.target" ]; serviceConfig.ExecStart = "/bin/sh -c 'exec sleep infinity' $1"; };
  systemd.user.services.quick = { wantedBy = [ "default.target" ]; stopIfChanged = false; serviceConfig.ExecStart = "/bin/sh -c 'exec sleep infinity' $1"; };
  systemd.user.services.kept = { wantedBy = [ "default.target" ]; restartIfChanged = false; serviceConfig.ExecStart = "/bin/sh -c 'exec sleep infinity' $1"; };
  systemd.user.services.nudged = { wantedBy = [ "default.target" ]; reloadIfChanged = true;
    serviceConfig = { ExecStart = "/bin/sh -c 'exec sleep infinity' $1"; ExecReload = "/bin/true"; }; };
  system.userActivationScripts.trace = "true";
  ${2-}
}
NIX
    built web "$1"
}

# user_lines: of what the last command said, the lines about user units, as the live run says them
user_lines() {
    grep -h "user units" "$place/last/err" |
        sed -e 's/^would stop/stopping/' -e 's/^would NOT restart/NOT restarting/' -e 's/^would \(start\|restart\|reload\)/\1ing/' | sort
}

one=$(system one)
for user in alice bob; do
    on web loginctl enable-linger "$user"
    eventually 30 on "$user@web" systemctl --user is-system-running
done
on web "$one/bin/switch-to-configuration" test
eventually 30 on alice@web systemctl --user is-active nudged.service

step "a dry run tells what the live run does with users, and does nothing"
two=$(system two)
companion=$(ask alice@web systemctl --user show --value --property InvocationID companion.service)
on web "$two/bin/switch-to-configuration" dry-activate
says "would reload user units for alice..." "would reload user units for bob..." \
    "would stop the following user units: companion.service" "would NOT restart the following user units: kept.service" \
    "would reload the following user units: nudged.service" "would restart the following user units: quick.service" \
    "would start the following user units: companion.service" "would restart the following user units: nixos-activation.service"
forecast=$(user_lines)
is "$(ask alice@web systemctl --user show --value --property InvocationID companion.service)" "$companion"
on web "$two/bin/switch-to-configuration" test
says "reloading user units for alice..." "stopping the following user units: companion.service" \
    "NOT restarting the following user units: kept.service" "restarting the following user units: nixos-activation.service"
is "$(user_lines)" "$forecast" "what the live run said of users"
is_not "$(ask alice@web systemctl --user show --value --property InvocationID companion.service)" "$companion"

step "what an interrupted switch left to a user is forecast, too"
on web "$one/bin/switch-to-configuration" test
on alice@web systemctl --user stop quick.service
on alice@web sh -c "printf 'quick.service\n' > /run/user/1000/nixos/start-list; printf %s '$two' > /run/user/1000/nixos/lists-system"
on web "$two/bin/switch-to-configuration" dry-activate
says "would start the following user units: companion.service, quick.service"
forecast=$(user_lines)
on web "$two/bin/switch-to-configuration" test
is "$(user_lines)" "$forecast" "what the live run said of users"
on alice@web systemctl --user is-active quick.service

step "the user's unit that each switch restarts is refused, in NixOS' words"
refusing=$(system refusing 'systemd.user.services.nixos-activation.unitConfig.RefuseManualStart = true;')
refused web 4 "$refusing/bin/switch-to-configuration" test
says "Failed to restart nixos-activation.service: " "warning: the following user units failed: nixos-activation.service" \
    'See `systemctl --user status nixos-activation.service` for details.'
on web "$two/bin/switch-to-configuration" test

step "the last words of a user's unit that fails, also for enact"
# shellcheck disable=SC2016  # for the shell of the unit
burning=$(system burning 'systemd.user.services.burning = { wantedBy = [ "default.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c \"echo the roof of $USER is on fire; exit 3\""; }; };')
on web "$burning/bin/switch-to-configuration" test
says "user unit burning.service is failed (exit-code); its last words:" "  | the roof of alice is on fire" "  | the roof of bob is on fire"
on web "$two/bin/switch-to-configuration" test
on web enact switch --store-path "$burning"
says "alice: burning.service is failed (exit-code); its last words:" "the roof of alice is on fire" "the roof of bob is on fire"
on web "$two/bin/switch-to-configuration" test

step "a user who is gone by then: a warning that names the user, for nobody failed"
gone=$(system gone 'system.activationScripts.end = "systemctl stop user@1001.service";')
on web "$gone/bin/switch-to-configuration" test
says "warning: user activation for bob failed" "bob: its service manager has ended during the switch" \
    "reloading user units for alice..."
says_not "reloading user units for bob..." "user activation for alice failed"
on web systemctl start user@1001.service
on web "$two/bin/switch-to-configuration" test
on web enact switch --store-path "$gone"
says "the session of bob could not follow: its service manager has ended during the switch"
is "$(running_of web)" "$gone"
on web systemctl start user@1001.service
eventually 30 on bob@web systemctl --user is-active companion.service

step "a manager that dies while it is worked with: the same, and the others follow"
dying=$(system dying 'systemd.user.services.companion.serviceConfig.ExecStartPre = "/bin/sh -c \"[ $USER != bob ] || kill -KILL $PPID\"";')
refused web 4 "$dying/bin/switch-to-configuration" test
says "warning: user activation for bob failed" "bob: "
says_not "user activation for alice failed"
on alice@web systemctl --user is-active companion.service

step "who comes in mid-switch follows, too"
on web systemctl start user@1001.service
on web "$two/bin/switch-to-configuration" test
on web systemctl stop user@1001.service
coming=$(system coming 'system.activationScripts.begin = "systemctl start user@1001.service";')
on web "$coming/bin/switch-to-configuration" test
says "reloading user units for bob..."
says_not "user activation for bob failed"
