# The flake of every throwaway host: tests/host puts the host's name and machine type in the two
# places between at signs and writes host.nix, the scenario's own lines, beside it.
{
  inputs.nixpkgs.url = "path:/usr/share/enact-tests/nixos";
  inputs.enact.url = "path:/usr/share/enact-tests/enact";
  inputs.enact.inputs.nixpkgs.follows = "nixpkgs";

  outputs = { nixpkgs, enact, ... }: {
    nixosConfigurations."@name@" = nixpkgs.lib.nixosSystem {
      system = "@system@";
      modules = [
        enact.nixosModules.default
        { networking.hostName = "@name@"; }
        ./base.nix
        ./host.nix
      ];
    };
  };
}
