# A small machine with another processor, built on this one. Copy the folder, replace hardware.nix by
# what nixos-generate-config wrote there, and change the names.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-24.11";

  outputs = { nixpkgs, ... }: {
    nixosConfigurations.board = nixpkgs.lib.nixosSystem {
      modules = [
        ./hardware.nix
        {
          nixpkgs.hostPlatform = "aarch64-linux"; # what it runs on
          nixpkgs.buildPlatform = "x86_64-linux"; # what it is built on
          networking.hostName = "board";
          system.stateVersion = "24.11";

          systemd.services.blink = {
            description = "Say that the board is there";
            wantedBy = [ "multi-user.target" ];
            serviceConfig.ExecStart = "/run/current-system/sw/bin/sleep infinity";
          };
        }
      ];
    };
  };
}
