# The systems between which the crash matrix switches: "a" and "b" differ in each kind of thing that a
# switch sees to, "bad" is b with a service that fails. tests/crash-matrix puts the letter in.
{ lib, pkgs, ... }:
let
  letter = "@letter@";
  number = if letter == "a" then "1" else "2";
  wanted = { wantedBy = [ "multi-user.target" ]; };
  wanted-socket = { wantedBy = [ "sockets.target" ]; };
  # Its process knows the letter of the time at which it was started, or last reloaded.
  knows = name: "cp /etc/letter /run/matrix-${name}";
in
{
  environment.etc.letter.text = letter;

  systemd.services = {
    changed = wanted // { serviceConfig.ExecStart = "/bin/sleep 100${number}"; };
    unchanged = wanted // { serviceConfig.ExecStart = "/bin/sleep 1003"; };
    "only-${number}" = wanted // { serviceConfig.ExecStart = "/bin/sleep 1004"; };
    reloaded = wanted // {
      reloadTriggers = [ letter ];
      serviceConfig = {
        ExecStartPre = "/bin/sh -c '${knows "reloaded"}'"; # its job has not ended before
        ExecStart = "/bin/sleep 1005";
        ExecReload = "/bin/sh -c '${knows "reloaded"}'";
      };
    };
    listed = wanted // {
      serviceConfig = {
        ExecStartPre = "/bin/sh -c '${knows "listed"}'";
        ExecStart = "/bin/sleep 1006";
      };
    };
    broken-before = wanted // {
      serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/false"; };
    };
    talker.serviceConfig.ExecStart = "/bin/sleep 100${number}";
    "asleep-${number}".serviceConfig.ExecStart = "/bin/sleep 1007";
    ticked.serviceConfig.ExecStart = "/bin/true";
  } // lib.optionalAttrs (letter == "bad") {
    bad = wanted // { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };
  };

  systemd.sockets = {
    talker = wanted-socket // { socketConfig.ListenStream = "/run/talker"; };
    "asleep-${number}" = wanted-socket // { socketConfig.ListenStream = "/run/asleep-${number}"; };
  };
  systemd.timers.ticked = {
    wantedBy = [ "timers.target" ];
    timerConfig.OnCalendar = "20${number}0-01-01";
  };

  fileSystems."/srv/both" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=${number}m" ]; };
  fileSystems."/srv/only-${number}" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=1m" ]; };

  system.activationScripts.matrix = ''
    mkdir -p /var/lib/matrix
    echo ${letter} > /var/lib/matrix/activated.new
    mv /var/lib/matrix/activated.new /var/lib/matrix/activated
    [ -z "''${NIXOS_ACTION-}" ] || echo listed.service >> /run/nixos/activation-restart-list
  '';

  # Debian's place for units is where a build of enact puts its own.
  systemd.hostUnits."multi-user.target" = [ "enact-recover.service" ];

  # Nothing here needs to be watched for long.
  system.extraSystemBuilderCmds = ''
    echo '{"version":1,"judge":{"window":0}}' > $out/enact.json
  '';

  # What a firmware would start: the system that was installed last.
  boot.loader.external = {
    enable = true;
    installHook = pkgs.writeShellScript "install" ''
      set -e
      mkdir -p /boot
      echo "$1" > /boot/default.new
      sync -f /boot/default.new
      mv /boot/default.new /boot/default
    '';
  };
}
