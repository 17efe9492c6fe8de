# A home with one of everything that ./test looks at.
{ config, lib, pkgs, ... }:
{
  home.username = "alice";
  home.homeDirectory = "/home/alice";
  home.stateVersion = "24.11";
  home.packages = [ pkgs.hello ];
  home.file."a file".text = "text\n";
  home.file."bin/run" = { text = "#!/bin/sh\n"; executable = true; };
  xdg.configFile."app/conf".text = "conf\n";
  home.activation.mine = lib.hm.dag.entryAfter [ "linkGeneration" ] "run echo mine";
  programs.git = { enable = true; settings.user.name = "Alice"; };
  systemd.user.services.tea = {
    Unit.Description = "Tea";
    Service.ExecStart = [ "" "${pkgs.hello}/bin/hello" ];
    Install.WantedBy = [ "default.target" ];
  };
}
