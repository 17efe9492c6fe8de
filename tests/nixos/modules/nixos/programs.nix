# Services that examples and tests enable by one line.
{ config, lib, ... }:
let
  inherit (lib) mkEnableOption mkOption types;
  cfg = config.services.openssh;
in
{
  options.services.openssh = {
    enable = mkEnableOption "Debian's sshd, with the keys and the configuration it has";
    ports = mkOption { type = types.listOf types.port; default = [ 22 ]; };
    openFirewall = mkOption { type = types.bool; default = true; };
    settings = mkOption { type = types.attrsOf types.anything; default = { }; };
  };

  config.systemd.services.sshd = lib.mkIf cfg.enable {
    description = "SSH Daemon";
    wantedBy = [ "multi-user.target" ];
    # The package's own unit would hold the port.
    conflicts = [ "ssh.service" "ssh.socket" ];
    after = [ "network.target" "ssh.service" "ssh.socket" ];
    # Somebody may be logged in through it right now.
    stopIfChanged = false;
    serviceConfig = {
      ExecStart = lib.concatStringsSep " " ([ "/usr/sbin/sshd" "-D" "-e" ]
        ++ map (port: "-p ${toString port}") cfg.ports
        ++ lib.mapAttrsToList
        (key: v: "\"-o${key}=${if builtins.isBool v then (if v then "yes" else "no") else toString v}\"")
        cfg.settings);
      KillMode = "process";
      Restart = "always";
      RuntimeDirectory = "sshd";
      RuntimeDirectoryPreserve = true;
      RuntimeDirectoryMode = "0755";
    };
  };
}
