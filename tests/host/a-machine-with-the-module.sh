# A machine that says programs.enact.enable: what a switch is held to is in its system, recovery is part of
# its boots and does nothing on a healthy one, the journal explains enact, and its switch-to-configuration
# is enact's where it says so.

needs enact
host web
first=$(running_of web)

step "a system with the module is switched to like any other"
configuration web one << 'NIX'
{ pkgs, ... }: {
  services.openssh.enable = true;
  programs.enact = {
    enable = true;
    judge.window = 2.5;
    judge.units = [ "sshd.service" ];
    judge.probes.ssh = { type = "tcp"; address = "localhost:22"; timeout = 2.5; period = 0.5; retries = 3; grace = 30; };
    judge.probes.steady = { type = "systemd"; unit = "steady.service"; };
    judge.probes.script = { type = "exec"; command = [ (pkgs.writeShellScript "well" "exit 0") ]; };
    jobs.timeout = 120;
    retention.generations = 20;
  };
}
NIX
on web enact switch --flake /root/one#web
# The engine has read it all, and nothing there is foreign to it.
says_not "is not known to this enact"
one=$(running_of web)
is "$(contents web /run/current-system/enact.json | sed 's|/nix/store/[a-z0-9]*-|STORE/|')" '{"jobs":{"timeout":120},"judge":{"probes":['\
'{"command":["STORE/well"],"name":"script","type":"exec"},'\
'{"address":"localhost:22","grace":30,"name":"ssh","period":0.5,"retries":3,"timeout":2.5,"type":"tcp"},'\
'{"name":"steady","type":"systemd","unit":"steady.service"}],"units":["sshd.service"],"window":2.5},'\
'"retention":{"generations":20},"rollback":{"automatic":true,"dropIn":false,"reboot":false},"version":1}'
active web sshd.service
on web /run/current-system/sw/bin/enact status

step "the unit is the machine's own now, and the switch that brought it did not run it"
is "$(unit_property web enact-recover.service FragmentPath)" /etc/systemd/system/enact-recover.service
on web systemctl is-enabled enact-recover.service
inactive web enact-recover.service
is "$(unit_property web enact-recover.service ExecMainStartTimestamp)" "" "its start"

step "the journal explains what enact says"
active web enact-catalog.service
on web journalctl --dump-catalog 3d6c581e9a2b4f0f8d115c4a72f03b61
says "A switch to another system begins" "Defined-By: enact"

step "after a boot nothing is recovered"
reboot web
is "$(running_of web)" "$one"
inactive web enact-recover.service
is "$(unit_property web enact-recover.service ConditionResult)" no "its condition"
active web enact-catalog.service

step "the same machine, with enact as its switch-to-configuration"
configuration web two << 'NIX'
{
  services.openssh.enable = true;
  programs.enact.enable = true;
  programs.enact.switchToConfiguration = true;
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
}
NIX
two=$(built web two)
program=$(ask web sed -n 's/^exec "\([^"]*\)".*/\1/p' "$two/bin/switch-to-configuration")
[[ $program == /nix/store/*-switch-to-configuration-enact/bin/switch-to-configuration ]] ||
    fail "its program is '$program'"
[[ $(ask web readlink "$program") == /nix/store/*-enact/libexec/enact/switch-to-configuration ]] ||
    fail "it leads to '$(ask web readlink "$program")'"
steady=$(pid_of web steady.service)
on web "$two/bin/switch-to-configuration" test
says "activating the configuration..." "the following new units were started: greeter.service"
is "$(running_of web)" "$two"
is "$(profile_of web)" "$one"
same_pid web steady.service "$steady"

step "what the module refuses is refused before anything is built"
configuration web three << 'NIX'
{ programs.enact = { enable = true; judge.probes.web = { type = "tcp"; url = "http://localhost/"; }; }; }
NIX
refused web 10 enact switch --flake /root/three#web
says "programs.enact.judge.probes.web is of type \`tcp' and needs \`address'." "has no \`url'"
is "$(running_of web)" "$two"

step "and without the module again, nothing of it is left"
on web enact switch --store-path "$first"
missing web /run/current-system/enact.json
missing web /etc/systemd/system/enact-catalog.service
