{
  description = "A small NixOS-shaped module library, for tests without a network";

  # It stands in for nixpkgs and for home-manager alike (see README.md). No inputs, so nothing to fetch.
  inputs = { };

  outputs = { self }:
    let
      lib = import ./lib;
      packagesFor = system: import ./packages.nix { inherit lib system; };
      forSystems = lib.genAttrs [ "x86_64-linux" "aarch64-linux" ];
    in
    {
      lib = lib // {
        nixosSystem = import ./eval-nixos.nix { inherit lib packagesFor; };
        homeManagerConfiguration = import ./eval-home.nix { inherit lib; };
      };

      legacyPackages = forSystems packagesFor;
      packages = forSystems (system: lib.filterAttrs (_: lib.isDerivation) (packagesFor system));
    };
}
