# nixosSystem: modules in, an evaluated system out.
{ lib, packagesFor }:
let
  nixosSystem =
    { system ? null
    , modules ? [ ]
    , specialArgs ? { }
    , pkgs ? null
    , ...
    }@args:
    let
      base = [
        ./modules/nixos/accepted.nix
        ./modules/nixos/activation.nix
        ./modules/nixos/boot.nix
        ./modules/nixos/environment.nix
        ./modules/nixos/etc.nix
        ./modules/nixos/filesystems.nix
        ./modules/nixos/nixpkgs.nix
        ./modules/nixos/programs.nix
        ./modules/nixos/specialisation.nix
        ./modules/nixos/switch.nix
        ./modules/nixos/systemd.nix
        ./modules/nixos/toplevel.nix
        {
          _file = "nixosSystem";
          nixpkgs = lib.optionalAttrs (system != null) { system = lib.mkDefault system; };
          _module.args = lib.optionalAttrs (pkgs != null) { pkgs = lib.mkForce pkgs; };
        }
      ];
      finish = evaluated: {
        inherit (evaluated) config options;
        inherit lib;
        pkgs = evaluated.moduleArgs.pkgs;
        extendModules = more: finish (evaluated.extendModules more);
        type = "configuration";
      };
    in
    finish (lib.evalModules {
      modules = base ++ modules;
      specialArgs = {
        # For specialisations that don't inherit.
        newSystem = modules: nixosSystem (args // { inherit modules; });
        inherit packagesFor;
      } // specialArgs;
    });
in
nixosSystem
