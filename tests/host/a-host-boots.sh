# A throwaway host boots with a real systemd and a real Nix: its first system is an installed one,
# as on NixOS, its services run, and Nix builds in it. It survives a power cut as a machine would:
# what runs afterwards is what the profile names.

host web

step "it is NixOS-shaped: one generation, which is booted and running"
is "$(generations_of web)" 1
is "$(running_of web)" "$(profile_of web)"
is "$(booted_of web)" "$(profile_of web)"
exists web /etc/NIXOS
is "$(ask web readlink /nix/var/nix/profiles/system)" system-1-link
is "$(ask web hostname)" web

step "the services of its first system run"
active web steady.service
active web bystander.service
on web systemctl is-system-running
says running

step "Nix builds in it"
on web nix build --impure --no-link --json --expr '
    derivation {
        name = "greeting";
        system = builtins.currentSystem;
        builder = "/bin/sh";
        args = [ "-c" "echo hello > $out" ];
    }'
is "$(ask web cat "$(said | jq -r '.[0].outputs.out')")" hello

step "a configuration builds to another system, with the first one's services in it"
configuration web one << 'NIX'
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep infinity";
  };
}
NIX
system=$(built web one)
is_not "$system" "$(running_of web)"
exists web "$system/etc/systemd/system/greeter.service"
exists web "$system/etc/systemd/system/steady.service"

step "users: alice may become root, bob may not, and each logs in to a session of their own"
on alice@web sh -c 'echo "$USER in $XDG_RUNTIME_DIR"'
says "alice in /run/user/1000"
on alice@web sudo id -u
is "$(said)" 0
refused bob@web 1 sudo -n true
refused alice@web 1 journalctl --quiet --unit steady.service --grep Started
on alice@web systemctl --user is-system-running --wait

step "a question that changes nothing leaves nothing changed"
snapshot web
on web systemctl status steady.service
unchanged web

step "a restarted service is told from one that was left alone"
steady=$(pid_of web steady.service)
bystander=$(pid_of web bystander.service)
on web systemctl restart bystander.service
same_pid web steady.service "$steady"
other_pid web bystander.service "$bystander"

step "after a power cut the host is back with the system that its profile names"
write web /root/kept <<< "written before the cut"
power_cut web
boot web
is "$(contents web /root/kept)" "written before the cut"
is "$(running_of web)" "$(profile_of web)"
active web steady.service
