# A switch asked for over ssh from another host goes on to its end though sshd and the network interface are
# restarted under it, and the connection dies; the host says afterwards how it ended.

needs enact
host web
host admin

step "admin reaches web over ssh, with a key"
on admin sh -c 'ssh-keygen -q -t ed25519 -N "" -f /root/.ssh/id_ed25519'
key=$(contents admin /root/.ssh/id_ed25519.pub)
write web /root/.ssh/authorized_keys <<< "$key"
on web sh -c 'chmod 700 /root /root/.ssh; chmod 600 /root/.ssh/authorized_keys; ssh-keygen -A; mkdir -p /run/sshd'
ssh=(ssh -o StrictHostKeyChecking=no -o ServerAliveInterval=1 -o ServerAliveCountMax=3 web)

# flake_with N LINES
flake_with() {
    configuration web flake << NIX
{
  systemd.services.sshd = {
    wantedBy = [ "multi-user.target" ];
    environment.N = "$1";
    serviceConfig = { ExecStart = "/usr/sbin/sshd -D"; KillMode = "control-group"; };
  };
  systemd.services.wire = {
    wantedBy = [ "multi-user.target" ];
    before = [ "sshd.service" ];
    environment.N = "$1";
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/sbin/ip link set eth0 up"; ExecStop = "/sbin/ip link set eth0 down"; };
  };
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 100$1"; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
}
flake_with 1
on web enact switch --flake /root/flake
eventually 30 on admin "${ssh[@]}" true

at_its_end() {
    on web enact status --json
    [ "$(said | jq -r '."under-way"')" = false ]
}

step "both are stopped; the caller's connection dies while the activation goes on"
flake_with 2
system=$(built web flake)
greeter=$(pid_of web greeter.service)
sshd=$(pid_of web sshd.service)
hold web
begin switch admin "${ssh[@]}" enact switch --flake /root/flake
eventually 30 held web
inactive web sshd.service
is "$(ask web ip -json link show dev eth0 | jq -r ".[0].operstate")" DOWN
# Whoever called is cut off, and what it was logged in by is gone.
ends switch 255
let_go web
eventually 30 at_its_end
is "$(running_of web)" "$system"
is "$(profile_of web)" "$system"
other_pid web greeter.service "$greeter"
other_pid web sshd.service "$sshd"

step "the host is there again, and tells how it ended"
eventually 30 on admin "${ssh[@]}" enact status
says "last switch" "exit code 0"
says_not "under way" "interrupted"
