# What every throwaway host runs from its first boot on: two services that nothing should ever have
# to restart, so that a scenario can tell what a switch touched from what it left alone. And
# enact's recovery at boot, as it is on a machine that has enact; its unit comes with enact itself.
{
  systemd.hostUnits."multi-user.target" = [ "enact-recover.service" ];

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
