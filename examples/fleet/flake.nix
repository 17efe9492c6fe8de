{
  description = "Two machines and one home";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

    home-manager.url = "github:nix-community/home-manager";
    home-manager.inputs.nixpkgs.follows = "nixpkgs"; # one nixpkgs for all
  };

  outputs = { self, nixpkgs, home-manager, ... }: {

    # Machines. `enact switch --flake .#web` makes the machine it runs on the first of them; without
    # `#web` the machine's own host name decides.
    nixosConfigurations = {
      web = nixpkgs.lib.nixosSystem { modules = [ ./hosts/web ]; };
      db = nixpkgs.lib.nixosSystem { modules = [ ./hosts/db ]; };
    };

    # Homes, named user@machine.
    homeConfigurations."alice@web" = home-manager.lib.homeManagerConfiguration {
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
      modules = [ ./home/alice.nix ];
    };
  };
}
