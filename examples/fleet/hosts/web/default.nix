# The machine "web".
{ ... }:
{
  imports = [
    ./hardware.nix
    ./greeter.nix
    ../common.nix
  ];

  networking.hostName = "web";

  # The NixOS release the machine was first installed with. It stays as it is, also after upgrades.
  system.stateVersion = "24.11";
}
