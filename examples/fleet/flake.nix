{
  description = "Two machines and one home";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

    enact.url = "path:/opt/enact"; # your clone, or wherever you have it from
    enact.inputs.nixpkgs.follows = "nixpkgs"; # one nixpkgs for all

    home-manager.url = "github:nix-community/home-manager";
    home-manager.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs = { self, nixpkgs, enact, home-manager, ... }: {

    # Machines. `enact switch --flake .#web` makes the machine it runs on the first of them; without
    # `#web` the machine's own host name decides.
    nixosConfigurations = {
      web = nixpkgs.lib.nixosSystem { modules = [ enact.nixosModules.default ./hosts/web ]; };
      db = nixpkgs.lib.nixosSystem { modules = [ enact.nixosModules.default ./hosts/db ]; };
    };

    # Homes, named user@machine.
    homeConfigurations."alice@web" = home-manager.lib.homeManagerConfiguration {
      pkgs = nixpkgs.legacyPackages.x86_64-linux;
      modules = [ ./home/alice.nix ];
    };
  };
}
