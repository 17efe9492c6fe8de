# The package set: nixpkgs.* and the arguments `pkgs' and `utils' of every module.
{ config, lib, packagesFor, ... }:
let
  inherit (lib) mkDefault mkOption types;
  cfg = config.nixpkgs;
  pkgs = lib.foldl' (p: overlay: p.extend overlay) (packagesFor cfg.system) cfg.overlays;
in
{
  options.nixpkgs = {
    system = mkOption { type = types.str; description = "System to build for."; };
    hostPlatform = mkOption {
      type = types.nullOr (types.either types.str types.attrs);
      default = null;
      description = "The newer spelling of nixpkgs.system.";
    };
    overlays = mkOption { type = types.listOf types.raw; default = [ ]; };
    config = mkOption { type = types.attrs; default = { }; description = "Accepted, without effect."; };
  };

  config = {
    nixpkgs.system = lib.mkIf (cfg.hostPlatform != null)
      (mkDefault (if builtins.isString cfg.hostPlatform then cfg.hostPlatform else cfg.hostPlatform.system));
    _module.args.pkgs = mkDefault pkgs;
    _module.args.utils = lib.utils;
  };
}
