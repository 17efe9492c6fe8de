# What every throwaway host runs from its first boot on: two services that nothing should ever have
# to restart, so that a scenario can tell what a switch touched from what it left alone.
{
  systemd.services.steady = {
    description = "A service that no scenario changes";
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep infinity";
  };

  systemd.services.bystander = {
    description = "Another service that no scenario changes";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      ExecStart = "/bin/sleep infinity";
      Restart = "always";
    };
  };
}
