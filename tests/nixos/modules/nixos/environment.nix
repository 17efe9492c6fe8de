# Packages, variables and the small files of /etc that every system has.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkIf mkOption types;
  nixos = config.system.nixos;

  variableType = types.attrsOf (types.nullOr (types.oneOf [ types.str types.int types.path (types.listOf types.str) ]));
  exports = lib.concatStrings (lib.mapAttrsToList
    (name: value: lib.optionalString (value != null)
      "export ${name}=${lib.escapeShellArg (if builtins.isList value then lib.concatStringsSep ":" value else value)}\n")
    (config.environment.sessionVariables // config.environment.variables));

  # Without these no build works on a test host; a configuration can still say otherwise.
  nixDefaults = { sandbox = false; substituters = ""; build-users-group = ""; };
  nixValue = v: if builtins.isBool v then lib.boolToString v else toString v;
in
{
  options = {
    environment = {
      systemPackages = mkOption { type = types.listOf types.package; default = [ ]; };
      defaultPackages = mkOption { type = types.listOf types.package; default = [ ]; };
      pathsToLink = mkOption { type = types.listOf types.str; default = [ ]; };
      variables = mkOption { type = variableType; default = { }; };
      sessionVariables = mkOption { type = variableType; default = { }; };
      shellAliases = mkOption { type = types.attrsOf (types.nullOr types.str); default = { }; };
    };
    system.path = mkOption { type = types.package; description = "What sw of the toplevel links to."; };

    networking.hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = "";
      description = "Empty, unlike in NixOS: the host keeps the name it has.";
    };
    time.timeZone = mkOption { type = types.nullOr types.str; default = null; };
    i18n.glibcLocales = mkOption {
      type = types.nullOr types.package;
      default = null;
      description = "Sets LOCALE_ARCHIVE in the wrapper.";
    };

    nix = {
      enable = mkOption { type = types.bool; default = true; };
      package = mkOption { type = types.package; default = pkgs.nix; };
      settings = mkOption { type = types.attrsOf types.anything; default = { }; };
      gc = mkOption { type = types.attrs; default = { }; description = "Without effect."; };
      optimise = mkOption { type = types.attrs; default = { }; description = "Without effect."; };
    };
  };

  config = {
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = config.environment.systemPackages ++ config.environment.defaultPackages;
      pathsToLink = [ "/bin" "/sbin" "/lib" "/share" "/etc" ] ++ config.environment.pathsToLink;
    };

    environment.etc = {
      os-release.text = ''
        ID=${nixos.distroId}
        NAME="${nixos.distroName}"
        PRETTY_NAME="${nixos.distroName} ${nixos.label} (${nixos.codeName})"
        VERSION_ID="${nixos.release}"
        VERSION_CODENAME=${lib.toLower nixos.codeName}
        BUILD_ID="${nixos.label}"
      '';
      hostname = mkIf (config.networking.hostName != "") { text = "${config.networking.hostName}\n"; };
      localtime = mkIf (config.time.timeZone != null) {
        source = "/usr/share/zoneinfo/${config.time.timeZone}";
        mode = "direct-symlink";
      };
      "profile.d/nixos.sh".text = ''
        export PATH="$PATH:/run/current-system/sw/bin"
        ${exports}'' + lib.concatStrings (lib.mapAttrsToList
        (name: value: lib.optionalString (value != null) "alias ${name}=${lib.escapeShellArg value}\n")
        config.environment.shellAliases);
      # The test host's own nix.conf stays unless the configuration sets something.
      "nix/nix.conf" = mkIf (config.nix.enable && config.nix.settings != { }) {
        text = lib.concatStrings (lib.mapAttrsToList (k: v: "${k} = ${nixValue v}\n") (nixDefaults // config.nix.settings));
      };
    };

    # Builds of plain users go through it. A link in *.wants to a unit that isn't there is ignored.
    systemd.hostUnits."sockets.target" = mkIf config.nix.enable [ "nix-daemon.socket" ];
  };
}
