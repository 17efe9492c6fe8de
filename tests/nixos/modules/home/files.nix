# home.file and xdg.*: the files linked into the home, gathered in one tree.
{ config, lib, pkgs, ... }:
let
  inherit (lib) escapeShellArg mkIf mkOption types;

  fileType = base: types.submodule ({ name, config, ... }: {
    options = {
      enable = mkOption { type = types.bool; default = true; };
      target = mkOption {
        type = types.str;
        default = name;
        apply = target: if base == "" then target else "${base}/${target}";
      };
      text = mkOption { type = types.nullOr types.lines; default = null; };
      source = mkOption { type = types.path; };
      executable = mkOption { type = types.nullOr types.bool; default = null; };
      recursive = mkOption { type = types.bool; default = false; };
      force = mkOption { type = types.bool; default = false; };
      onChange = mkOption { type = types.lines; default = ""; description = "Without effect."; };
    };
    config.source = mkIf (config.text != null)
      (lib.mkDefault (pkgs.writeText ("home-" + lib.replaceStrings [ "/" "@" " " ] [ "-" "-" "-" ] name) config.text));
  });
  filesBelow = base: mkOption { type = types.attrsOf (fileType base); default = { }; };

  files = lib.filter (f: f.enable)
    (lib.concatMap lib.attrValues [ config.home.file config.xdg.configFile config.xdg.dataFile ]);
  place = f: "place ${escapeShellArg "${f.source}"} ${escapeShellArg f.target} ${
    if f.recursive then "recursive" else if f.executable == true then "executable" else "link"}\n";
  doubles = lib.filter (t: lib.count (f: f.target == t) files > 1) (lib.unique (map (f: f.target) files));
in
{
  options = {
    home.file = filesBelow "";
    home-files = mkOption { type = types.package; };
    xdg = {
      enable = mkOption { type = types.bool; default = false; };
      configHome = mkOption { type = types.str; default = "${config.home.homeDirectory}/.config"; };
      configFile = filesBelow ".config";
      dataFile = filesBelow ".local/share";
    };
  };

  config = {
    assertions = [{
      assertion = doubles == [ ];
      message = "Several files have the target ${lib.concatStringsSep ", " doubles}.";
    }];

    home-files = pkgs.runCommand "home-manager-files" { } ''
      place() {
        file=$out/$2
        [ -d "''${file%/*}" ] || mkdir -p "''${file%/*}"
        case $3 in
          link) ln -s "$1" "$file" ;;
          executable) cp "$1" "$file"; chmod 755 "$file" ;;
          recursive) cp -rs "$1" "$file" ;;
        esac
      }
      mkdir "$out"
      ${lib.concatMapStrings place files}'';
  };
}
