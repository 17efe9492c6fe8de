# What had failed before a switch condemns neither the switch, nor a rollback, nor a recovery by the dead
# man's switch; what a switch has broken and a recovery cannot mend does.

needs enact
host web

# system NAME LINES: broken.service fails always, fragile.service where /root/bridge is missing
system() {
    configuration web "$1" << NIX
{
  systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; };
  systemd.services.looping = {
    wantedBy = [ "multi-user.target" ];
    startLimitIntervalSec = 0;
    serviceConfig = { ExecStart = "/bin/false"; Restart = "always"; RestartSec = 1; Environment = "OF=$1"; };
  };
  systemd.services.fragile = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; ExecStartPre = "/usr/bin/test -e /root/bridge"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  $2
}
NIX
    built web "$1"
}

# runs NAME: the system of that name, and what it can run of its units
runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}"
    is "$(profile_of web)" "${!1}"
    failed web broken.service
    active web fragile.service
    same_pid web steady.service "$steady"
    eventually 30 at_its_end web
}

write web /root/bridge <<< "here"
steady=$(pid_of web steady.service)
one=$(system one "")
refused web 4 enact switch --no-rollback --store-path "$one"
runs one

step "a switch"
two=$(system two "")
on web enact switch --store-path "$two"
runs two

step "a switch that fails, and its rollback"
three=$(system three 'systemd.services.fragile.serviceConfig.ExecStartPost = "/bin/false";')
refused web 3 enact switch --store-path "$three"
says "fragile.service" "Rolled back"
runs two

step "a recovery by the dead man's switch"
three=$(system three 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
# killed: the switch to three is, in its activation
killed() {
    hold web
    begin switch web enact switch --store-path "$three"
    eventually 30 held web
    "$@"
    on web systemctl kill --signal=KILL "$(engine_of web)"
    let_go web
}
killed true
ends switch 3
runs two

step "what the switch stopped does not come back"
killed on web rm /root/bridge
ends switch 5
says "fragile.service" "failed, too"
is "$(running_of web)" "$two"
is "$(profile_of web)" "$two"
failed web fragile.service
on web enact status
says "exit code 5"

step "when it can, the next switch ends that, and says so"
write web /root/bridge <<< "here"
on web enact switch --store-path "$two"
runs two
on web enact status
says "exit code 0"
