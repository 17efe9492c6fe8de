# A service of our own, and a timer beside it.
{ lib, pkgs, ... }:
let
  # Change this line, run `enact switch` again, and see: greeter.service restarts, nothing else does.
  greeting = "Hello from enact!";
in
{
  systemd.services.greeter = {
    description = "Say hello";
    wantedBy = [ "multi-user.target" ]; # start at boot

    serviceConfig = {
      ExecStart = pkgs.writeShellScript "greeter" ''
        greeting=${lib.escapeShellArg greeting}
        echo "$greeting"                                  # for `journalctl -u greeter`
        echo "$greeting" > "$RUNTIME_DIRECTORY/greeting"  # for /run/greeter/greeting
        exec sleep infinity
      '';
      RuntimeDirectory = "greeter";
      DynamicUser = true; # no need to be root for this
      Restart = "on-failure";
    };
  };

  # Every quarter of an hour the journal says how many are logged in. The timer starts the service of
  # the same name, which is not started at boot by itself.
  systemd.services.roll-call = {
    description = "Note who is logged in";
    serviceConfig.Type = "oneshot";
    script = "echo \"$(ls /run/user | wc -l) users are here\"";
  };
  systemd.timers.roll-call = {
    wantedBy = [ "timers.target" ];
    timerConfig.OnCalendar = "*:0/15";
  };
}
