# system.build.toplevel: the one store path that is the system.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.system;

  # Texts that name the toplevel itself hold this, which Nix replaces when it builds.
  out = builtins.placeholder "out";

  # One process more costs a millisecond here, one derivation more costs twenty: so all of the
  # toplevel's own texts are made in its builder.
  toplevel = pkgs.runCommand "nixos-system-${cfg.name}-${cfg.nixos.label}"
    {
      activate = cfg.build.activationScript out;
      dryActivate = cfg.build.dryActivationScript out;
      wrapper = cfg.build.switchWrapper { inherit out; toplevel = out; };
      init = cfg.build.initScript out;
      bootspec = builtins.toJSON (cfg.build.bootspec out);
      inhibitors = builtins.toJSON cfg.switch.inhibitors;
      dependencies = lib.concatMapStringsSep "\n" (d: "${d}") (cfg.extraDependencies ++ cfg.checks);
      passAsFile = [ "activate" "dryActivate" "wrapper" "init" "bootspec" "dependencies" ];

      label = cfg.nixos.label;
      kernelParams = toString config.boot.kernelParams;
      interface = "systemd ${toString config.systemd.package.interfaceVersion}";
      etc = "${cfg.build.etc}/etc";
      sw = cfg.path;
      systemd = config.systemd.package;
    }
    ''
      mkdir -p "$out/bin" "$out/specialisation"
      cd "$out"

      cp "$initPath" init
      cp "$bootspecPath" boot.json
      cp "$dependenciesPath" extra-dependencies
      ${lib.optionalString cfg.activatable ''
        cp "$activatePath" activate
        cp "$dryActivatePath" dry-activate
        chmod 755 activate dry-activate
      ''}
      ${lib.optionalString (cfg.activatable && cfg.switch.enable) ''
        cp "$wrapperPath" bin/switch-to-configuration
        chmod 755 bin/switch-to-configuration
      ''}
      chmod 755 init

      ln -s "$etc" etc
      ln -s "$sw" sw
      ln -s "$systemd" systemd
      ${cfg.build.bootLinks}

      printf %s "$kernelParams" > kernel-params
      printf %s "$label" > nixos-version
      printf %s ${pkgs.stdenv.hostPlatform.system} > system
      printf %s "$interface" > init-interface-version
      printf %s "$inhibitors" > switch-inhibitors

      ${lib.concatStringsSep "\n" (lib.mapAttrsToList
        (name: toplevel: "ln -s ${toplevel} specialisation/${lib.escapeShellArg name}")
        cfg.build.specialisations)}
      ${cfg.systemBuilderCommands}
    '';

  # For systems with `activatable' off, whose toplevel does not change with the scripts.
  separateActivationScript = pkgs.runCommand "separate-activation-script"
    {
      activate = cfg.build.activationScript "${toplevel}";
      dryActivate = cfg.build.dryActivationScript "${toplevel}";
      wrapper = cfg.build.switchWrapper { inherit out; toplevel = "${toplevel}"; };
      passAsFile = [ "activate" "dryActivate" "wrapper" ];
    }
    ''
      mkdir -p "$out/bin"
      cp "$activatePath" "$out/activate"
      cp "$dryActivatePath" "$out/dry-activate"
      cp "$wrapperPath" "$out/bin/switch-to-configuration"
      chmod 755 "$out/activate" "$out/dry-activate" "$out/bin/switch-to-configuration"
    '';

  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  approved =
    if failed != [ ] then throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (m: "- ${m}") failed}"
    else lib.foldr lib.warn toplevel config.warnings;
in
{
  imports = [
    (lib.mkRenamedOptionModule [ "system" "extraSystemBuilderCmds" ] [ "system" "systemBuilderCommands" ])
  ];

  options = {
    assertions = mkOption {
      type = types.listOf types.raw;
      default = [ ];
      example = [{ assertion = false; message = "you can't enable this"; }];
    };
    warnings = mkOption { type = types.listOf types.str; default = [ ]; };

    system = {
      build = mkOption { type = types.lazyAttrsOf types.raw; default = { }; };
      name = mkOption {
        type = types.str;
        default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      };
      stateVersion = mkOption { type = types.str; default = "24.11"; description = "Without effect."; };
      configurationRevision = mkOption { type = types.nullOr types.str; default = null; };
      activatable = mkOption { type = types.bool; default = true; };
      extraDependencies = mkOption { type = types.listOf types.pathInStore; default = [ ]; };
      checks = mkOption { type = types.listOf types.package; default = [ ]; };
      systemBuilderCommands = mkOption { type = types.lines; default = ""; };
      nixos = {
        label = mkOption { type = types.strMatching "[a-zA-Z0-9:_.-]*"; default = "24.11-tests"; };
        release = mkOption { type = types.str; default = "24.11"; };
        version = mkOption { type = types.str; default = config.system.nixos.label; };
        codeName = mkOption { type = types.str; default = "Testing"; };
        distroId = mkOption { type = types.str; default = "nixos"; };
        distroName = mkOption { type = types.str; default = "NixOS"; };
      };
    };
  };

  config.system.build = {
    toplevel = approved;
    inherit separateActivationScript;
  };
}
