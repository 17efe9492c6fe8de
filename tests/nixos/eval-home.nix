# homeManagerConfiguration: modules in, an evaluated home out.
{ lib }:
let
  dag = rec {
    entryBetween = before: after: data: { inherit before after data; };
    entryAnywhere = entryBetween [ ] [ ];
    entryAfter = entryBetween [ ];
    entryBefore = before: entryBetween before [ ];
  };
  homeLib = lib // { hm = { inherit dag; }; };

  finish = evaluated: {
    inherit (evaluated) config options;
    inherit (evaluated.config.home) activationPackage;
    activation-script = evaluated.config.home.activationPackage;
    pkgs = evaluated.moduleArgs.pkgs;
    class = "homeManager";
    extendModules = more: finish (evaluated.extendModules more);
  };
in
{ pkgs, modules ? [ ], extraSpecialArgs ? { }, ... }:
finish (lib.evalModules {
  modules = [
    ./modules/home/generation.nix
    ./modules/home/files.nix
    ./modules/home/programs.nix
    ./modules/home/systemd.nix
    { _file = "homeManagerConfiguration"; _module.args.pkgs = lib.mkDefault pkgs; }
  ] ++ modules;
  specialArgs = { lib = homeLib; } // extraSpecialArgs;
})
