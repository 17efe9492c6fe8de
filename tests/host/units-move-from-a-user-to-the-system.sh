# A user's own unit that becomes one of the system's is taken over in the running session: it is restarted by
# the new definition if that is the one that counts, and left alone while the user's own still shadows it.

needs enact
host web

configuration web flake <<< '{ }'
on web loginctl enable-linger alice
eventually 30 active web user@1000.service
mine() {
    printf '[Service]\nExecStart=/bin/sleep %s\n' "$1" | write web "/home/alice/.config/systemd/user/$2"
}
mine 1001 moves.service
mine 1001 shadows.service
mine 1001 stays.service
on web chown -R alice: /home/alice
on alice@web systemctl --user daemon-reload
on alice@web systemctl --user start moves.service shadows.service stays.service
user_pid() {
    ask alice@web systemctl --user show --value --property MainPID "$1"
}
moves=$(user_pid moves.service)
shadows=$(user_pid shadows.service)
stays=$(user_pid stays.service)

step "the system has two of them now; of one the user's own file goes away during the switch"
configuration web flake << 'NIX'
{ systemd.user.services.moves.serviceConfig.ExecStart = "/bin/sleep 1002";
  systemd.user.services.shadows.serviceConfig.ExecStart = "/bin/sleep 1002";
  system.activationScripts.home = "rm -f /home/alice/.config/systemd/user/moves.service"; }
NIX
on web enact plan --flake /root/flake --json
is "$(said | jq -c '[.users[] | select(.name == "alice") | .migrate[]] | map(.unit? // .)')" '["moves.service","shadows.service"]'
on web enact switch --flake /root/flake
is_not "$(user_pid moves.service)" "$moves" "the process of moves.service"
is "$(ask alice@web systemctl --user show --value --property FragmentPath moves.service)" /etc/systemd/user/moves.service
is "$(user_pid shadows.service)" "$shadows" "the process of shadows.service"
is "$(user_pid stays.service)" "$stays" "the process of stays.service"
says "alice: restart moves.service"
