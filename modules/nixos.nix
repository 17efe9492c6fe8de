# enact on a NixOS machine: the programs, the unit that ends an interrupted switch at boot, and what
# a switch to this system is held to, which goes into its toplevel as enact.json.
# docs/nixos-module.md tells how to use it.
{ config, lib, options, pkgs, utils, ... }:
let
  inherit (lib) literalExpression mkEnableOption mkIf mkOption types;
  cfg = config.programs.enact;

  # --- types --------------------------------------------------------------------------------------

  # The engine reads these and has the same limits (activate/settings.c).
  secondsMax = 3600;
  seconds = types.numbers.between 0 secondsMax;
  moreThanNoSeconds = types.numbers.between 0.001 secondsMax;
  unitName = types.strMatching
    "[a-zA-Z0-9:_.\\-]+(@[a-zA-Z0-9@:_.\\-]+)?[.](automount|device|mount|path|scope|service|slice|socket|swap|target|timer)";
  probesMax = 64;
  probeNameMax = 99;

  # A value that the engine has its own for, where nobody says anything.
  optional = type: attrs: mkOption ({ type = types.nullOr type; default = null; } // attrs);

  probe = types.submodule {
    options = {
      type = mkOption {
        type = types.enum [ "exec" "http" "systemd" "tcp" ];
        example = "http";
        description = ''
          What is asked: whether a program ends well (`exec`), an address answers to HTTP (`http`) or takes a
          connection (`tcp`), or a unit is in a state (`systemd`).
        '';
      };
      command = optional (types.nonEmptyListOf (types.either types.str types.path)) {
        example = literalExpression ''[ "''${pkgs.curl}/bin/curl" "--fail" "--unix-socket" "/run/app" "http://app/" ]'';
        description = ''
          For `exec`: a program of the store, and its arguments. It runs as root, without a shell. It is well if it
          ends with 0.
        '';
      };
      url = optional (types.strMatching "https?://[^/[:space:]][^[:space:]]*") {
        example = "http://localhost:8080/health";
        description = "For `http`: what is asked for.";
      };
      status = optional (types.ints.between 100 599) {
        example = 204;
        description = "For `http`: the status that is awaited. Without it any from 200 to 399 will do.";
      };
      address = optional
        (types.strMatching "(\\[[0-9a-fA-F:.]+]|[a-zA-Z0-9._][a-zA-Z0-9._-]*):[0-9]{1,5}")
        {
          example = "[::1]:5432";
          description = "For `tcp`: host and port that have to take a connection.";
        };
      unit = optional unitName {
        example = "postgresql.service";
        description = "For `systemd`: the unit.";
      };
      state = optional (types.enum [ "active" "inactive" "failed" "activating" "deactivating" ]) {
        example = "inactive";
        description = "For `systemd`: the state that the unit has to be in; `active` without it.";
      };

      timeout = optional moreThanNoSeconds {
        example = 2.5;
        description = "Seconds that one attempt may take; 5 without it.";
      };
      period = optional seconds {
        example = 1;
        description = "Seconds between the end of one attempt and the next; 1 without it.";
      };
      retries = optional (types.ints.between 0 1000) {
        example = 5;
        description = "Attempts after the first that counts; 2 without it.";
      };
      grace = optional seconds {
        example = 30;
        description = ''
          Seconds after the activation in which an attempt that fails does not count; 10 without it.
        '';
      };
    };
  };

  extraEntry = types.submodule {
    options = {
      title = mkOption {
        type = types.strMatching "[^\n\r]+";
        example = "UEFI shell";
        description = "What the menu shows.";
      };
      program = mkOption {
        type = types.either types.str types.path;
        example = literalExpression ''"''${pkgs.edk2-uefi-shell}/shell.efi"'';
        description = "A program of the store that the firmware starts. It is copied to the boot partition.";
      };
      options = optional (types.strMatching "[^\n\r]+") {
        description = "What the program is told.";
      };
      sortKey = optional (types.strMatching "[a-zA-Z0-9_.-]+") {
        example = "a_shell";
        description = "Where it stands in the menu; without it below the generations, by its name.";
      };
    };
  };

  # What each type has to itself. The first is needed.
  ownKeys = {
    exec = [ "command" ];
    http = [ "url" "status" ];
    systemd = [ "unit" "state" ];
    tcp = [ "address" ];
  };

  # --- enact.json ---------------------------------------------------------------------------------

  # What nobody set is the engine's to decide, so it is left out.
  set = lib.filterAttrs (_: value: value != null && value != [ ] && value != { });

  probeSettings = name: p: { inherit name; } // set (p // {
    command = if p.command == null then null else map (word: "${word}") p.command;
  });

  settings = {
    version = 1;
    rollback = { inherit (cfg.rollback) automatic dropIn reboot; };
  } // set {
    judge = set {
      inherit (cfg.judge) window confirm units;
      probes = lib.mapAttrsToList probeSettings cfg.judge.probes;
    };
    jobs = set { inherit (cfg.jobs) timeout; };
    retention = set { inherit (cfg.retention) generations; };
  } // lib.optionalAttrs cfg.bootMenu.enable {
    bootMenu = set {
      mountPoint = config.boot.loader.efi.efiSysMountPoint;
      inherit (cfg.bootMenu) extendedMountPoint configurationLimit;
      extraEntries = lib.mapAttrsToList
        (name: entry: { inherit name; } // set (entry // { program = "${entry.program}"; }))
        (cfg.bootMenu.extraEntries // lib.optionalAttrs cfg.bootMenu.memtest86.enable {
          memtest86 = { title = "Memtest86+"; program = "${pkgs.memtest86plus}/memtest.efi"; };
        });
    };
    trialBoot = { inherit (cfg.trialBoot) enable tries deadline; };
  };

  # Compact, since what is in the file changes the path of the system.
  enactJson = pkgs.writeText "enact.json" (builtins.toJSON settings);

  # --- what cannot be -----------------------------------------------------------------------------

  probeAssertions = name: p:
    let
      where = lib.showOption [ "programs" "enact" "judge" "probes" name ];
      needed = lib.head ownKeys.${p.type};
      foreign = lib.filter (key: p.${key} != null)
        (lib.subtractLists ownKeys.${p.type} (lib.concatLists (lib.attrValues ownKeys)));
      program = "${lib.head p.command}";
    in
    [
      {
        assertion = p.${needed} != null;
        message = "${where} is of type `${p.type}' and needs `${needed}'.";
      }
      {
        assertion = foreign == [ ];
        message = "${where} is of type `${p.type}', which has no `${lib.concatStringsSep "' and no `" foreign}'.";
      }
      {
        assertion = p.type == "exec" && p.command != null -> lib.hasPrefix "${builtins.storeDir}/" program;
        message = "${where}: `${program}' is not below ${builtins.storeDir}. Root runs it, so nobody else may be able to change it.";
      }
      {
        assertion = builtins.stringLength name <= probeNameMax && builtins.match "[^[:cntrl:]]+" name != null;
        message = "${where}: a probe's name has from 1 to ${toString probeNameMax} bytes, and no control characters.";
      }
    ];

  # Systems were built with the Perl program first; its successor is what the overlay takes the place of.
  # Later the choice was gone, and of the option a stub was left, without a default.
  choice = options.system.switch.enableNg or { };
  successorIsThere = options ? system.switch.enableNg || lib.versionAtLeast lib.trivial.release "25.05";
  successorIsTaken = if choice ? default then config.system.switch.enableNg else config.system.switch.enable;

  assertions = lib.concatLists (lib.mapAttrsToList probeAssertions cfg.judge.probes) ++ [
    {
      assertion = lib.length (lib.attrNames cfg.judge.probes) <= probesMax;
      message = "programs.enact.judge.probes: there may be ${toString probesMax} at most.";
    }
    {
      assertion = cfg.judge.confirm != null -> cfg.rollback.automatic;
      message = "programs.enact.judge.confirm asks for a rollback unless somebody confirms, and programs.enact.rollback.automatic is off.";
    }
    {
      assertion = cfg.rollback.dropIn -> cfg.rollback.automatic;
      message = "programs.enact.rollback.dropIn asks for a rollback, and programs.enact.rollback.automatic is off.";
    }
    {
      assertion = cfg.rollback.reboot -> cfg.rollback.automatic;
      message = "programs.enact.rollback.reboot is for a rollback that failed, and programs.enact.rollback.automatic is off.";
    }
    {
      assertion = cfg.rollback.dropIn -> cfg.switchToConfiguration;
      message = "programs.enact.rollback.dropIn is for enact as switch-to-configuration: it needs programs.enact.switchToConfiguration.";
    }
    {
      assertion = cfg.switchToConfiguration -> successorIsThere;
      message = "programs.enact.switchToConfiguration needs a NixOS that knows switch-to-configuration-ng: 24.05 or later.";
    }
    {
      assertion = cfg.switchToConfiguration && successorIsThere -> successorIsTaken;
      message =
        if choice ? default
        then "programs.enact.switchToConfiguration takes the place of switch-to-configuration-ng, so it needs system.switch.enableNg (in NixOS 24.05 with system.switch.enable off)."
        else "programs.enact.switchToConfiguration needs system.switch.enable.";
    }
  ];

  # --- the journal's catalog ----------------------------------------------------------------------

  # NixOS' journalctl looks for explanations in systemd's own package alone, or in one given directory.
  catalogs = pkgs.runCommand "journal-catalogs" { } ''
    mkdir "$out"
    for file in ${config.systemd.package}/lib/systemd/catalog/*.catalog ${cfg.package}/lib/systemd/catalog/*.catalog; do
      [ ! -e "$file" ] || ln -s "$file" "$out/"
    done
  '';

  trialBoots = cfg.bootMenu.enable && cfg.trialBoot.enable;

  # What hangs comes back by itself only so; NixOS had the option from 20.09 on.
  watchdog = lib.optionalAttrs (options.systemd ? watchdog) {
    systemd.watchdog = mkIf trialBoots {
      runtimeTime = lib.mkDefault "30s";
      rebootTime = lib.mkDefault "10min";
    };
  };
in
{
  options.programs.enact = {
    enable = mkEnableOption "enact, which switches this machine to its configurations and back if that goes wrong";

    package = mkOption {
      type = types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package with enact's programs and units.";
    };

    judge = {
      window = optional seconds {
        example = 10;
        description = ''
          Seconds that the units of a new system are watched before it counts. Without it 2, and up to 10 where a
          service that is restarted by itself is younger than that.
        '';
      };
      confirm = optional (types.numbers.between 1 secondsMax) {
        example = 120;
        description = ''
          Somebody has to say `enact confirm` within so many seconds, or the switch is rolled back. Good for machines
          that are reached over the network only.
        '';
      };
      units = mkOption {
        type = types.listOf unitName;
        default = [ ];
        example = [ "sshd.service" ];
        description = "Units that have to be active after a switch, whether or not the switch has touched them.";
      };
      probes = mkOption {
        type = types.attrsOf probe;
        default = { };
        example = literalExpression ''
          {
            web = { type = "http"; url = "http://localhost/health"; grace = 30; };
            database = { type = "tcp"; address = "localhost:5432"; };
          }
        '';
        description = ''
          Questions to this machine that a switch to this configuration is held to: one that is not answered well
          rolls it back.
        '';
      };
    };

    rollback = {
      automatic = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a switch that the judge finds bad is rolled back. `--no-rollback` declines it once.";
      };
      dropIn = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether enact judges and rolls back as `switch-to-configuration`, too, and then puts back the system profile
          that its caller has moved. Otherwise it does there what NixOS' own program does.
        '';
      };
      reboot = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether the machine is rebooted after a switch to this system that failed and whose way back failed, too. It is
          only done if the system before is the boot default for certain, and once.
        '';
      };
    };

    jobs.timeout = optional (types.numbers.between 0.001 604800) {
      example = 120;
      description = ''
        How many seconds each start, stop, restart and reload of a unit may take on the way to this system, instead of
        what the unit's own timeout allows. `--job-timeout` overrides it.
      '';
    };

    retention.generations = optional (types.ints.between 1 1000000) {
      example = 20;
      description = ''
        How many generations of the system are kept. A switch to it that went well deletes older ones, except what is
        current, running, booted, pinned, the boot default or the way back. Without it none is deleted.
      '';
    };

    bootMenu = {
      enable = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Whether enact writes the boot menu of this machine, with the files of systemd-boot, whoever switches it. The
          loader itself has to be there already (`bootctl install`). The boot partition is
          `boot.loader.efi.efiSysMountPoint`.
        '';
      };
      extendedMountPoint = optional (types.strMatching "/[^[:space:]]*") {
        example = "/boot";
        description = "Where the extended boot partition (XBOOTLDR) is mounted, if there is one beside the EFI system partition.";
      };
      configurationLimit = optional (types.ints.between 1 1000000) {
        example = 20;
        description = ''
          How many generations the menu has of each profile. What is running, booted, pinned, the boot default or the way
          back is in it all the same. Without it all are.
        '';
      };
      extraEntries = mkOption {
        type = types.attrsOf extraEntry;
        default = { };
        example = literalExpression ''
          { shell = { title = "UEFI shell"; program = "''${pkgs.edk2-uefi-shell}/shell.efi"; }; }
        '';
        description = "What the menu has besides generations, by names of letters, digits, `-`, `_` and `.`.";
      };
      memtest86.enable = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the menu has Memtest86+, to test the machine's memory.";
      };
    };

    trialBoot = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = ''
          Whether `enact boot`, and a switch that only a reboot can take, has the next boot try the new system, so that
          one that hangs or is judged bad is followed by the system before. Only where `bootMenu.enable` is on.
        '';
      };
      tries = mkOption {
        type = types.ints.between 1 99;
        default = 3;
        description = ''
          How often the boot loader tries a new system that nobody has found well yet, where it has to count: on a
          machine whose firmware keeps no variables. Elsewhere it is tried once.
        '';
      };
      deadline = mkOption {
        type = moreThanNoSeconds;
        default = 600;
        description = ''
          Seconds after the start of the machine at which a new system has failed its trial if units are still being
          started.
        '';
      };
    };

    switchToConfiguration = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether enact is this system's `bin/switch-to-configuration`, so that `nixos-rebuild` and whatever else
        calls that has its plan and its limits. Put in place as an overlay of `pkgs.switch-to-configuration-ng`.
      '';
    };
  };

  config = mkIf cfg.enable (lib.mkMerge [ watchdog {
    inherit assertions;

    environment.systemPackages = [ cfg.package ];

    system.systemBuilderCommands = ''
      cp ${enactJson} "$out/enact.json"
    '';

    systemd.packages = [ cfg.package ];
    systemd.services.enact-recover = {
      wantedBy = [ "multi-user.target" ];
      after = [ "${utils.escapeSystemdPath config.boot.loader.efi.efiSysMountPoint}.mount" ];
    };

    # In a boot that tries a new system; its own deadline, the judge's window and whoever has to confirm fit into this.
    systemd.services.enact-boot-check = mkIf trialBoots {
      wantedBy = [ "multi-user.target" ];
      requiredBy = [ "boot-complete.target" ];
      after = [ "${utils.escapeSystemdPath config.boot.loader.efi.efiSysMountPoint}.mount" ];
      serviceConfig.TimeoutStartSec =
        toString (builtins.ceil (cfg.trialBoot.deadline + (if cfg.judge.confirm == null then 0 else cfg.judge.confirm)) + 900);
    };
    # It takes the counter off an entry of its own, durably.
    systemd.services.systemd-bless-boot = mkIf cfg.bootMenu.enable { enable = false; };

    # For journalctl -x.
    systemd.services.enact-catalog = {
      description = "Take up what enact's Journal Messages Mean";
      wantedBy = [ "multi-user.target" ];
      after = [ "systemd-journal-catalog-update.service" ];
      environment.SYSTEMD_CATALOG_SOURCES = "${catalogs}";
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
        ExecStart = "${config.systemd.package}/bin/journalctl --update-catalog";
      };
    };

    # A kernel or an initrd that gives up must come back by itself for the loader to start another system; one that hangs
    # needs a watchdog for that.
    boot.kernelParams = mkIf trialBoots [ "panic=10" "boot.panic_on_fail" ];

    boot.loader = mkIf cfg.bootMenu.enable ({
      external = {
        enable = true;
        installHook = pkgs.writeShellScript "install-boot-menu" ''
          exec ${cfg.package}/libexec/enact/enact-activate install-boot-menu "$@"
        '';
      };
    } // lib.optionalAttrs (options.boot.loader ? supportsInitrdSecrets) { supportsInitrdSecrets = true; });

    nixpkgs.overlays = mkIf cfg.switchToConfiguration [
      (final: _: {
        switch-to-configuration-ng = final.runCommand "switch-to-configuration-enact"
          { meta.mainProgram = "switch-to-configuration"; }
          ''
            mkdir -p "$out/bin"
            ln -s ${cfg.package}/libexec/enact/switch-to-configuration "$out/bin/"
          '';
      })
    ];
  } ]);
}
