# systemd.user.*: units written as sections, placed below ~/.config/systemd/user with their links.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkOption nameValuePair types;
  cfg = config.systemd.user;
  units = import ../../units.nix { inherit lib pkgs; };

  kinds = {
    automounts = "automount";
    mounts = "mount";
    paths = "path";
    services = "service";
    slices = "slice";
    sockets = "socket";
    targets = "target";
    timers = "timer";
  };

  all = lib.concatLists (lib.mapAttrsToList
    (set: kind: lib.mapAttrsToList (name: sections: { file = "${name}.${kind}"; inherit sections; }) cfg.${set})
    kinds);
  source = unit: pkgs.runCommand "unit-${units.safeName unit.file}"
    { inherit (unit) file; text = units.sectionsText unit.sections; }
    ''
      mkdir "$out"
      printf %s "$text" > "$out/$file"
    '';
  links = unit:
    let
      install = unit.sections.Install or { };
      to = key: suffix: map (target: "${target}.${suffix}") (lib.toList (install.${key} or [ ]));
    in
    [ "" ] ++ map (dir: "${dir}/") (to "WantedBy" "wants" ++ to "RequiredBy" "requires");
in
{
  options.systemd.user = lib.mapAttrs
    (_: _: mkOption { type = types.attrsOf (types.attrsOf (types.attrsOf units.directive)); default = { }; })
    kinds // {
    enable = mkOption { type = types.bool; default = true; };
    startServices = mkOption { type = types.either types.bool types.str; default = true; description = "Without effect."; };
    sessionVariables = mkOption { type = types.attrsOf types.str; default = { }; };
  };

  config.xdg.configFile = lib.mkIf cfg.enable (lib.listToAttrs (lib.concatMap
    (unit: map
      (dir: nameValuePair "systemd/user/${dir}${unit.file}" { source = "${source unit}/${unit.file}"; })
      (links unit))
    all));
}
