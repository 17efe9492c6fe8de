{
  description = "Switch NixOS machines as transactions: tested before it counts, rolled back by path";

  # Follow your own: inputs.enact.inputs.nixpkgs.follows = "nixpkgs". Nothing here wants a certain one.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      forSystems = make: nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ]
        (system: make nixpkgs.legacyPackages.${system});
    in
    {
      nixosModules.enact = ./modules/nixos.nix;
      nixosModules.default = self.nixosModules.enact;

      overlays.default = final: _: { enact = final.callPackage ./modules/package.nix { }; };

      packages = forSystems (pkgs: rec {
        enact = pkgs.callPackage ./modules/package.nix { };
        default = enact;
      });

      checks = forSystems (pkgs: { inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) enact; });

      devShells = forSystems (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.stdenv.hostPlatform.system}.enact ];
          packages = [ pkgs.clang-tools pkgs.jq pkgs.python3 pkgs.shellcheck ];
        };
      });
    };
}
