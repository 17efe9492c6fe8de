# systemd.*: units of the system and of the user managers, and the managers' own settings.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings mapAttrs mapAttrs' mkIf mkMerge mkOption nameValuePair types;
  inherit (lib.utils) escapeSystemdPath;
  cfg = config.systemd;
  units = import ../../units.nix { inherit lib pkgs; };

  setOf = kind: mkOption { type = types.attrsOf (units.unitType kind); default = { }; };
  listOf = kind: mkOption { type = types.listOf (units.unitType kind); default = [ ]; };
  rawUnits = mkOption { type = types.attrsOf units.rawType; default = { }; };
  packages = mkOption { type = types.listOf types.package; default = [ ]; };
  names = mkOption { type = types.listOf types.str; default = [ ]; };

  kindsBySet = {
    paths = "path";
    services = "service";
    slices = "slice";
    sockets = "socket";
    targets = "target";
    timers = "timer";
  };
  sets = mapAttrs (_: setOf) kindsBySet;

  # From the typed options to systemd.units.
  rawFrom = scope: mkMerge (lib.mapAttrsToList
    (set: kind: mapAttrs' (name: unit: nameValuePair "${name}.${kind}" (units.toRaw kind unit)) scope.${set})
    kindsBySet);
  rawMounts = kind: list: lib.listToAttrs
    (map (unit: nameValuePair "${escapeSystemdPath unit.where}.${kind}" (units.toRaw kind unit)) list);

  timersFrom = services: mapAttrs
    (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    })
    (lib.filterAttrs (_: service: service.enable && service.startAt != [ ]) services);

  # The targets that units hang on are in NixOS' tree and so have to be in this one: a switch starts
  # only units that it manages, and with the targets all that is new below them. Debian's services
  # stay where they are.
  upstreamTargets = map (name: "${name}.target") [
    "basic" "emergency" "getty" "graphical" "hibernate" "hybrid-sleep" "local-fs" "local-fs-pre" "multi-user"
    "network" "network-online" "network-pre" "nss-lookup" "nss-user-lookup" "paths" "poweroff" "reboot" "remote-fs"
    "remote-fs-pre" "rescue" "shutdown" "sleep" "slices" "sockets" "suspend" "swap" "sysinit" "time-sync" "timers"
  ];
  upstreamUserTargets = map (name: "${name}.target") [
    "basic" "default" "graphical-session" "graphical-session-pre" "paths" "shutdown" "sockets" "timers"
  ];
  upstream = type: extra: hidden: map (name: "${cfg.package}/example/systemd/${type}/${name}")
    (lib.subtractLists hidden extra);

  # What NixOS adds by hand.
  ownLinks = ''
    ln -sfn ${lib.escapeShellArg cfg.defaultUnit} default.target
    ln -sfn ${lib.escapeShellArg cfg.ctrlAltDelUnit} ctrl-alt-del.target
    ln -sfn rescue.target kbrequest.target
    mkdir -p getty.target.wants multi-user.target.wants
    ln -sfn ../autovt@.service getty.target.wants/autovt@tty1.service
    ln -sfn ../remote-fs.target multi-user.target.wants/remote-fs.target
  '';

  managerConf = settings: extra:
    "[Manager]\n"
    + lib.concatStrings (lib.mapAttrsToList (k: v: "${k}=${if builtins.isBool v then lib.boolToString v else toString v}\n") settings)
    + extra;

  reloadWarnings = lib.mapAttrsToList
    (name: _: "systemd.services.${name}: with `reloadIfChanged' its `reloadTriggers' have no effect.")
    (lib.filterAttrs (_: s: s.reloadIfChanged && s.reloadTriggers != [ ]) cfg.services);
in
{
  options.systemd = sets // {
    mounts = listOf "mount";
    automounts = listOf "automount";
    units = rawUnits;
    inherit packages;
    package = mkOption { type = types.package; default = pkgs.systemd; };
    defaultUnit = mkOption { type = types.str; default = "multi-user.target"; };
    ctrlAltDelUnit = mkOption { type = types.str; default = "reboot.target"; };
    additionalUpstreamSystemUnits = names // { description = "Further unit files of the host to take into the tree."; };
    suppressedSystemUnits = names;
    hostUnits = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = { "multi-user.target" = [ "ssh.service" ]; };
      description = "Units of Debian below ours that a target wants. Only here, not in NixOS.";
    };
    globalEnvironment = mkOption { type = types.attrsOf types.str; default = { }; };
    settings.Manager = mkOption { type = types.attrsOf types.anything; default = { }; };
    extraConfig = mkOption { type = types.lines; default = ""; };
    tmpfiles.rules = names;

    user = sets // {
      units = rawUnits;
      extraConfig = mkOption { type = types.lines; default = ""; };
    };
  };

  config = {
    warnings = reloadWarnings;

    systemd = {
      units = mkMerge [
        (rawFrom cfg)
        (rawMounts "mount" cfg.mounts)
        (rawMounts "automount" cfg.automounts)
      ];
      user.units = rawFrom cfg.user;
      timers = timersFrom cfg.services;
      user.timers = timersFrom cfg.user.services;

      # What must happen early again on a switch hangs here; sysinit.target itself can't be restarted.
      targets.sysinit-reactivation.description = "Reactivate sysinit units";

      # In a container `/' of the fstab would be the outer machine's file system.
      services.systemd-remount-fs = {
        overrideStrategy = "asDropin";
        enableDefaultPath = false;
        unitConfig.ConditionVirtualization = "!container";
      };

      services.systemd-tmpfiles-resetup = mkIf (cfg.tmpfiles.rules != [ ]) {
        description = "Re-setup tmpfiles on a switch";
        requiredBy = [ "sysinit-reactivation.target" ];
        before = [ "sysinit-reactivation.target" ];
        after = [ "local-fs.target" "systemd-sysusers.service" "systemd-journald.service" ];
        conflicts = [ "shutdown.target" ];
        restartTriggers = [ config.environment.etc."tmpfiles.d/00-nixos.conf".source ];
        unitConfig.DefaultDependencies = false;
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
          ExecStart = "${cfg.package}/bin/systemd-tmpfiles --create --remove --exclude-prefix=/dev";
          SuccessExitStatus = "DATAERR CANTCREAT";
        };
      };
    };

    environment.etc = {
      "systemd/system".source = config.system.build.units;
      "systemd/user".source = config.system.build.userUnits;
      "systemd/system.conf".text = managerConf
        (cfg.settings.Manager // lib.optionalAttrs (cfg.globalEnvironment != { }) {
          DefaultEnvironment = lib.concatStringsSep " "
            (lib.mapAttrsToList (k: v: builtins.toJSON "${k}=${v}") cfg.globalEnvironment);
        })
        cfg.extraConfig;
      "systemd/user.conf".text = managerConf { } cfg.user.extraConfig;
      "tmpfiles.d/00-nixos.conf" = mkIf (cfg.tmpfiles.rules != [ ]) {
        text = concatMapStrings (rule: "${rule}\n") cfg.tmpfiles.rules;
      };
    };

    system.build.units = units.unitTree {
      type = "system";
      inherit (cfg) units packages;
      files = upstream "system" (upstreamTargets ++ cfg.additionalUpstreamSystemUnits) cfg.suppressedSystemUnits;
      wants = cfg.hostUnits;
      finish = ownLinks;
    };
    system.build.userUnits = units.unitTree {
      type = "user";
      inherit (cfg.user) units;
      inherit (cfg) packages;
      files = upstream "user" upstreamUserTargets [ ];
    };
  };
}
