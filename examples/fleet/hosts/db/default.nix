# The machine "db".
{ ... }:
{
  imports = [
    ./hardware.nix
    ./notebook.nix
    ../common.nix
  ];

  networking.hostName = "db";
  system.stateVersion = "24.11"; # see hosts/web
}
