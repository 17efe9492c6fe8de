# A timer, or whoever it is, starts a service again between its stop and the manager's reload: it would run
# on by its old definition. It is stopped once more, and the new one runs in the end.

needs enact
host web

configuration web flake << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
on web enact switch --flake /root/flake
configuration web flake << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
  system.activationScripts.hasty = { text = "systemctl start greeter.service"; deps = [ "etc" ]; }; }
NIX
on web enact switch --flake /root/flake
is "$(ask web ps -o args= -p "$(pid_of web greeter.service)")" "/bin/sleep 1002"
