# With --no-rollback a failed unit is told with 4, and the new system stays: it runs, and it is the
# boot default in every respect.

needs enact
host web

step "--no-rollback: a failed unit is 4, and the new system stays"
configuration web bad << 'NIX'
{ pkgs, ... }: {
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo $1 >> /root/installed";
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1003"; };
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'echo no way; exit 1'"; };
  };
}
NIX
refused web 4 enact switch --no-rollback --flake /root/bad
says "broken.service" "no way" "--no-rollback"
says_not "rolling back" "Rolled back"
bad=$(built web bad)
is "$(running_of web)" "$bad"
is "$(profile_of web)" "$bad"
active web greeter.service
failed web broken.service
on web enact status
says "exit code 4" "failed unit    broken.service"

step "what had failed before condemns no switch that leaves it as it is"
configuration web bad << 'NIX'
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1004"; };
  systemd.services.broken = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sh -c 'echo no way; exit 1'"; };
  };
}
NIX
on web enact switch --flake /root/bad
is "$(running_of web)" "$(built web bad)"

step "and the boot menu knows what --no-rollback made the boot default"
is "$(contents web /root/installed | head -n 1)" "$bad"
missing web /nix/var/nix/gcroots/enact/candidate

step "an activation script that fails at its end has activated, and is kept as well"
configuration web failing << 'NIX'
{
  environment.etc.motto.text = "failing";
  system.activationScripts.broken = "false";
}
NIX
refused web 4 enact switch --no-rollback --flake /root/failing
says "is active all the same (--no-rollback)"
is "$(running_of web)" "$(built web failing)"
is "$(profile_of web)" "$(built web failing)"
