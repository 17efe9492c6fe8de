# The package set: nixpkgs.* and the arguments `pkgs' and `utils' of every module.
{ config, lib, packagesFor, ... }:
let
  inherit (lib) mkDefault mkOption types;
  cfg = config.nixpkgs;
  packages = packagesFor cfg.system;
  pkgs = lib.foldl' (p: overlay: p.extend overlay)
    (if cfg.buildPlatform == null then packages else packages.builtOn (toSystem cfg.buildPlatform))
    cfg.overlays;
  toSystem = platform: if builtins.isString platform then platform else platform.system;
in
{
  options.nixpkgs = {
    system = mkOption { type = types.str; description = "System to build for."; };
    hostPlatform = mkOption {
      type = types.nullOr (types.either types.str types.attrs);
      default = null;
      description = "The newer spelling of nixpkgs.system.";
    };
    buildPlatform = mkOption {
      type = types.nullOr (types.either types.str types.attrs);
      default = null;
      description = "What it is built on, where that is another machine.";
    };
    overlays = mkOption { type = types.listOf types.raw; default = [ ]; };
    config = mkOption { type = types.attrs; default = { }; description = "Accepted, without effect."; };
  };

  config = {
    nixpkgs.system = lib.mkIf (cfg.hostPlatform != null)
      (mkDefault (toSystem cfg.hostPlatform));
    _module.args.pkgs = mkDefault pkgs;
    _module.args.utils = lib.utils;
  };
}
