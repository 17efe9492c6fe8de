# <nixpkgs/nixos>: the system of a machine that has channels. Which configuration it is comes from
# NIXOS_CONFIG, or from what <nixos-config> stands for, as there.
{ configuration ?
    let given = builtins.getEnv "NIXOS_CONFIG"; in
    if given != "" then given else <nixos-config>
, system ? builtins.currentSystem
}:
let
  lib = import ../lib;
  nixosSystem = import ../eval-nixos.nix {
    inherit lib;
    packagesFor = system: import ../packages.nix { inherit lib system; };
  };
  evaluated = nixosSystem { inherit system; modules = [ configuration ]; };
in
{
  inherit (evaluated) config options pkgs;
  system = evaluated.config.system.build.toplevel;
}
