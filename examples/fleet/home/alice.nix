# Alice's home on "web".
{ pkgs, ... }:
{
  home.username = "alice";
  home.homeDirectory = "/home/alice";
  home.stateVersion = "24.11"; # the release this home began with; leave it

  home.packages = [ pkgs.hello ];
  home.sessionVariables.EDITOR = "vim";

  programs.git = {
    enable = true;
    settings.user.name = "Alice";
    settings.user.email = "alice@example.org";
  };

  # A file in the home, and one below ~/.config.
  home.file."welcome.txt".text = "This home is made by a flake.\n";
  xdg.configFile."greeter/colour".text = "green\n";

  # A service of her own; `systemctl --user status tea` shows it.
  systemd.user.services.tea = {
    Unit.Description = "Think of tea";
    Service.ExecStart = pkgs.writeShellScript "tea" ''
      while true; do
        echo "time for tea"
        sleep 3600
      done
    '';
    Install.WantedBy = [ "default.target" ];
  };
}
