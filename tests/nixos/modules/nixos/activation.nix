# system.activationScripts: what brings the parts of the host in line that systemd does not.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings concatStringsSep mkOption types;
  cfg = config.system;

  snippetType = types.coercedTo types.str (text: { inherit text; }) (types.submodule {
    options = {
      text = mkOption { type = types.lines; default = ""; };
      deps = mkOption { type = types.listOf types.str; default = [ ]; };
      supportsDryActivation = mkOption { type = types.bool; default = false; };
    };
  });

  # Names so that each comes after those it depends on, else by name.
  inOrder =
    let
      visit = trail: done: name:
        if lib.elem name done then done
        else if lib.elem name trail then
          throw "system.activationScripts: ${concatStringsSep " -> " (trail ++ [ name ])} depend on each other"
        else
          lib.foldl' (visit (trail ++ [ name ])) done
            (cfg.activationScripts.${name} or (throw
              "system.activationScripts.${lib.last trail} depends on `${name}', which does not exist")).deps
          ++ [ name ];
    in
    lib.foldl' (visit [ ]) [ ] (lib.attrNames cfg.activationScripts);

  tools = with pkgs; [ coreutils gnugrep gnused findutils hostname util-linux systemd ];

  script = out: snippets: ending: ''
    #!${pkgs.runtimeShell}

    systemConfig='${out}'
    export PATH=/empty:${lib.makeBinPath tools}
    umask 0022

    # A snippet that fails is reported and the next one runs; only the exit status remembers.
    status=0
    failed=0
    trap 'status=1 failed=$?' ERR

  '' + concatMapStrings snippets inOrder + ending + ''
    exit "$status"
  '';

  snippet = name: lib.optionalString (cfg.activationScripts.${name}.text != "") ''
    # --- ${name}
    failed=0
    ${cfg.activationScripts.${name}.text}
    if [ "$failed" -gt 0 ]; then
      printf "Activation script snippet '%s' failed (%s)\n" ${lib.escapeShellArg name} "$failed"
    fi

  '';
  drySnippet = name:
    if cfg.activationScripts.${name}.supportsDryActivation then snippet name
    else lib.optionalString (cfg.activationScripts.${name}.text != "") "# --- ${name}: not in a dry run\n\n";

  stateDir = "${builtins.dirOf builtins.storeDir}/var/nix";

  # Last, so that /run/current-system never names a system of which nothing was activated.
  ending = ''
    # --- the end: this is the current system now
    mkdir -p /run ${stateDir}/gcroots
    ln -sfnT /run/current-system ${stateDir}/gcroots/current-system
    ln -sfnT "$(readlink -f "$systemConfig")" /run/.current-system.new &&
      mv -fT /run/.current-system.new /run/current-system
  '';
in
{
  options.system = {
    activationScripts = mkOption { type = types.attrsOf snippetType; default = { }; };
    userActivationScripts = mkOption {
      type = types.attrsOf snippetType;
      default = { };
      description = "Run by the user unit nixos-activation.service.";
    };
  };

  config = {
    # Names that snippets elsewhere depend on. Nothing is left to do for them on a Debian host.
    system.activationScripts = lib.genAttrs [ "binsh" "groups" "specialfs" "usrbinenv" "users" "var" ] (_: "") // {
      # A container may forbid it, which is no reason to call the activation failed.
      hostname = lib.mkIf (config.networking.hostName != "") ''
        [ "$(hostname)" = ${lib.escapeShellArg config.networking.hostName} ] ||
          hostname ${lib.escapeShellArg config.networking.hostName} 2>/dev/null ||
          echo 'cannot set the host name here, going on'
      '';
    };

    system.build = {
      activationScript = out: script out snippet ending;
      dryActivationScript = out: script out drySnippet "";
    };

    systemd.user.services.nixos-activation = lib.mkIf (cfg.userActivationScripts != { }) {
      description = "Run user-specific NixOS activation";
      unitConfig.ConditionUser = "!@system";
      serviceConfig.Type = "oneshot";
      serviceConfig.RemainAfterExit = true;
      restartIfChanged = false;
      wantedBy = [ "default.target" ];
      script = concatStringsSep "\n" (lib.mapAttrsToList (_: s: s.text) cfg.userActivationScripts);
    };
  };
}
