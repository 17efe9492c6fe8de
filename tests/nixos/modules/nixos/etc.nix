# environment.etc: the /etc tree of the toplevel, and the snippet that brings /etc in line with it.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings escapeShellArg mkOption types;

  entryType = types.submodule ({ name, config, ... }: {
    options = {
      enable = mkOption { type = types.bool; default = true; };
      target = mkOption { type = types.str; default = name; description = "Path below /etc."; };
      text = mkOption { type = types.nullOr types.lines; default = null; };
      source = mkOption { type = types.path; };
      mode = mkOption {
        type = types.str;
        default = "symlink";
        example = "0600";
        description = "An octal mode makes a copy; direct-symlink a link past /etc/static.";
      };
      uid = mkOption { type = types.int; default = 0; };
      gid = mkOption { type = types.int; default = 0; };
      user = mkOption { type = types.str; default = "+${toString config.uid}"; };
      group = mkOption { type = types.str; default = "+${toString config.gid}"; };
    };
    config.source = lib.mkIf (config.text != null)
      (lib.mkDefault (pkgs.writeText ("etc-" + lib.replaceStrings [ "/" "@" " " ] [ "-" "-" "-" ] name) config.text));
  });

  entries = lib.filter (e: e.enable) (lib.attrValues config.environment.etc);
  place = e: ''
    place ${escapeShellArg "${e.source}"} ${escapeShellArg e.target}
  '' + lib.optionalString (e.mode != "symlink") ''
    printf %s ${escapeShellArg e.mode} > "$out/etc/"${escapeShellArg e.target}.mode
    printf %s ${escapeShellArg e.user} > "$out/etc/"${escapeShellArg e.target}.uid
    printf %s ${escapeShellArg e.group} > "$out/etc/"${escapeShellArg e.target}.gid
  '';
in
{
  options.environment.etc = mkOption { type = types.attrsOf entryType; default = { }; };

  config = {
    system.build.etc = pkgs.runCommand "etc" { } ''
      place() {
        file=$out/etc/$2
        [ -d "''${file%/*}" ] || mkdir -p "''${file%/*}"
        ln -s "$1" "$file"
      }
      mkdir -p "$out/etc"
      ${concatMapStrings place entries}'';

    system.activationScripts.etc = {
      deps = [ "users" "groups" "specialfs" ];
      text = ''
        echo "setting up /etc..."
        ${pkgs.runtimeShell} ${../../programs/setup-etc.sh} "$systemConfig/etc"
      '';
    };
  };
}
