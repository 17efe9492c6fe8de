# The flake of every throwaway host: tests/host puts the host's name and machine type in the two
# places between at signs and writes host.nix, the scenario's own lines, beside it.
{
  inputs.nixpkgs.url = "path:/usr/share/enact-tests/nixos";

  outputs = { nixpkgs, ... }: {
    nixosConfigurations."@name@" = nixpkgs.lib.nixosSystem {
      system = "@system@";
      modules = [
        { networking.hostName = "@name@"; }
        ./base.nix
        ./host.nix
      ];
    };
  };
}
