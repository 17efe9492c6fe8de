# What differs between two generations: versions and sizes of packages, units with their keys, and what
# only a reboot brings; as Nix' own diff-closures has it, and without root.

needs enact
host web

system() { # NAME VERSION KEY MESSAGE: hello of that version, a unit with that key
    configuration web "$1" << NIX
{ pkgs, ... }: {
  environment.etc.hello.source = pkgs.runCommand "hello-$2" { } "head -c $5 /dev/zero > \$out";
  environment.etc.motto.text = "$1";
  systemd.services.worker.serviceConfig = { ExecStart = "/bin/sleep $3"; };
  systemd.services.$4 = { serviceConfig.ExecStart = "/bin/sleep 9"; };
  boot.kernelParams = [ "$1" ];
}
NIX
}

system one 1.0 100 only-one 100
system two 1.1 200 only-two 50100
on web enact switch --flake /root/one
on web enact switch --flake /root/two
one=$(ask web readlink /nix/var/nix/profiles/system-2-link)
two=$(ask web readlink /nix/var/nix/profiles/system-3-link)

step "whoever may not ask Nix is told so in its words"
refused bob@web 1 enact generations diff 2
says "daemon-socket" "Permission denied"
on web usermod --append --groups nix-users alice

step "with the current one, by numbers, by paths: for people and for programs"
on alice@web enact generations diff 2
says "generation 2, $one" "generation 3, $two" "hello: 1.0 -> 1.1, +48.8 KiB"
says "added     only-two.service" "removed   only-one.service" "changed   worker.service: Service/ExecStart"
says "kernel-params: one -> two"
says_not "steady.service" "motto"

for words in "2 3" 2..3 "$one $two" "2 /run/current-system"; do
    # shellcheck disable=SC2086  # words
    on alice@web enact generations diff --json $words
    is "$(said | jq -c '[.packages[] | select(.name == "hello")]')" \
        '[{"name":"hello","old":["1.0"],"new":["1.1"],"bytes":50000}]'
    is "$(said | jq -c '[.units[] | [.unit, .how, .user] + .keys]')" \
        '[["only-one.service","removed",false],["only-two.service","added",false],["worker.service","changed",false,"Service/ExecStart"]]'
    is "$(said | jq -r '.reboot | map(.what) | join(" ")')" "kernel-params"
    is "$(said | jq -r '.from.toplevel + " " + .to.toplevel')" "$one $two"
done

step "Nix says the same of the package, and of the closures' sizes"
on web nix --extra-experimental-features nix-command store diff-closures "$one" "$two"
says "hello: 1.0 → 1.1, " "+48.8 KiB"
on web enact generations diff --json 3 2
is "$(said | jq .from.bytes)" "$(ask web nix --extra-experimental-features nix-command path-info --closure-size "$two" | awk '{print $2}')"
is "$(said | jq .packages[0].bytes)" -50000

step "the same system"
on web enact generations diff 3
says "the same system"
is "$(said | wc -l)" 3

step "what cannot be compared"
refused web 1 enact generations diff 9
says "no generation 9"
refused web 2 enact generations diff x
refused web 2 enact generations diff
refused web 2 enact generations diff 1 2 3
refused web 1 enact generations diff 2 /root/nowhere
refused web 1 enact generations diff 2 /etc
says "is no NixOS system"
refused web 10 env PATH=/nowhere "$(ask web sh -c "command -v enact")" generations diff 2
says "no program 'nix'"
on web ln -s "/nix/store/00000000000000000000000000000000-gone" /nix/var/nix/profiles/system-1000-link
refused web 1 enact generations diff 1000
says "not in the store any more"

