# What all machines have in common.
{ pkgs, ... }:
{
  time.timeZone = "Europe/Berlin";
  nix.settings.experimental-features = [ "nix-command" "flakes" ];

  # A way in, and somebody who may use it. Put your own key here.
  services.openssh.enable = true;
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ ];
  };

  # enact, and what a switch is held to: the way in stays open, or the old system comes back.
  programs.enact.enable = true;
  programs.enact.judge.units = [ "sshd.service" ];

  # Programs for everybody.
  environment.systemPackages = [ pkgs.git pkgs.htop ];
}
