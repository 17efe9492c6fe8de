# fileSystems and swapDevices, which come to /etc/fstab.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  fileSystem = types.submodule ({ name, config, ... }: {
    options = {
      enable = mkOption { type = types.bool; default = true; };
      mountPoint = mkOption { type = types.str; default = name; };
      device = mkOption { type = types.nullOr types.str; default = null; };
      label = mkOption { type = types.nullOr types.str; default = null; };
      fsType = mkOption { type = types.str; default = "auto"; };
      options = mkOption { type = types.listOf types.str; default = [ "defaults" ]; };
      neededForBoot = mkOption { type = types.bool; default = false; };
      depends = mkOption { type = types.listOf types.str; default = [ ]; };
      noCheck = mkOption { type = types.bool; default = false; };
      autoFormat = mkOption { type = types.bool; default = false; };
    };
  });
  swapDevice = types.submodule {
    options = {
      device = mkOption { type = types.str; default = ""; };
      label = mkOption { type = types.nullOr types.str; default = null; };
      size = mkOption { type = types.nullOr types.int; default = null; };
      priority = mkOption { type = types.nullOr types.int; default = null; };
      options = mkOption { type = types.listOf types.str; default = [ "defaults" ]; };
    };
  };

  escaped = lib.replaceStrings [ " " "\t" ] [ "\\040" "\\011" ];
  deviceOf = entry: escaped (
    if entry.label != null then "/dev/disk/by-label/${entry.label}"
    else if entry.device != null then entry.device
    else throw "fileSystems.${lib.showOption [ entry.mountPoint ]} has neither device nor label");
  passOf = fs:
    if fs.noCheck || lib.elem fs.fsType [ "auto" "none" "tmpfs" "overlay" "nfs" "cifs" "btrfs" "xfs" ] then "0"
    else if fs.mountPoint == "/" then "1" else "2";
  line = fs: "${deviceOf fs} ${escaped fs.mountPoint} ${fs.fsType} ${escaped (lib.concatStringsSep "," (
    fs.options ++ map (d: "x-systemd.requires-mounts-for=${d}") fs.depends))} 0 ${passOf fs}\n";
  swapLine = swap: "${deviceOf (swap // { mountPoint = "swap"; })} none swap ${lib.concatStringsSep "," (
    swap.options ++ lib.optional (swap.priority != null) "pri=${toString swap.priority}")}\n";
  # Parents first, as mount(8) needs them.
  sorted = lib.sort (a: b: a.mountPoint < b.mountPoint)
    (lib.filter (fs: fs.enable) (lib.attrValues config.fileSystems));
in
{
  options = {
    fileSystems = mkOption { type = types.attrsOf fileSystem; default = { }; };
    swapDevices = mkOption { type = types.listOf swapDevice; default = [ ]; };
  };

  config.environment.etc.fstab.text =
    "# Written by NixOS. Set `fileSystems' and `swapDevices' instead of editing it.\n"
    + lib.concatMapStrings line sorted
    + lib.concatMapStrings swapLine config.swapDevices;
}
