# Where the link goes, what would be built, what differs, and inputs that are moved forward: by
# nixos-rebuild's options, nh's letters and `enact update`. What is for other hosts is answered by name.
# It may take 240 s.

needs enact
host web

configuration web flake << 'NIX'
{ pkgs, ... }: { environment.systemPackages = [ (pkgs.runCommand "tool-2.0" { pname = "tool"; version = "2.0"; } "mkdir -p $out/bin; echo > $out/bin/tool") ]; }
NIX

step "a dry build builds nothing: what it would build, and no link"
on web sh -c 'cd /root; exec enact dry-build --flake ./flake#web'
says_on_stdout "would build" "nixos-system-web"
for command in "dry-run" "build --dry-run" "switch -n"; do
    on web sh -c "cd /root; exec enact $command --json --flake ./flake#web"
    said | jq -e '.build | map(select(test("nixos-system-web.*drv$"))) | length == 1' > "$place/jq" || fail "$command: $(said)"
done
missing web /root/result
is "$(ask web sh -c 'ls -d /nix/store/*tool-2.0 2> /dev/null | wc -l')" 0 "built in a dry run"
refused web 10 enact dry-build --flake /root/flake#wbe
says_on_stderr "Did you mean 'web'?"

step "the link: ./result, elsewhere, or none"
on web sh -c 'cd /root; exec enact build --flake ./flake#web'
system=$(said)
is "$(ask web readlink /root/result)" "$system"
on web sh -c 'cd /root; rm result; exec enact build --flake ./flake#web -o here'
is "$(ask web readlink /root/here)" "$system"
on web sh -c 'cd /root; exec enact build --flake ./flake#web --no-link'
is "$(said)" "$system"
missing web /root/result
on web sh -c 'cd /root; exec enact build -n --flake ./flake#web'
says_on_stdout "there already"

step "a switch leaves a link where it is told to, and shows the packages that differ"
on web enact switch --flake /root/flake#web --diff --out-link /root/kept
says_on_stderr "packages" "tool: none -> 2.0"
is "$(ask web readlink /root/kept)" "$system"
on web enact plan --flake /root/flake#web --diff
says_on_stderr "no difference"

step "options of nixos-rebuild that Nix knows, or that mean nothing here"
on web sh -c 'cd /; exec enact build --no-link --flake /root/flake#web --quiet --no-registries --no-net --use-substitutes --fast --no-build-nix --log-format raw -Q --builders "" --accept-flake-config --fallback --keep-failed --cores 1 --refresh'
on web sh -c 'cd /; exec enact build --no-link --flake /root/flake#web -v'
says_on_stderr "evaluating file"
for option in "--target-host db" "--build-host=db" --sudo; do
    refused web 2 sh -c "enact switch --flake /root/flake#web $option"
    says_on_stderr "comes with 'enact deploy'"
done

step "inputs: all, one, by a wrong name; what has moved is shown"
write web /root/a/flake.nix <<< '{ outputs = _: { motto = "old"; }; }'
write web /root/b/flake.nix <<< '{ outputs = _: { motto = "old"; }; }'
write web /root/user/flake.nix << 'NIX'
{
  inputs.system.url = "path:/root/flake";
  inputs.a.url = "path:/root/a";
  inputs.b.url = "path:/root/b";
  outputs = { system, a, b, ... }: {
    nixosConfigurations.web = system.nixosConfigurations.web.extendModules {
      modules = [ { environment.etc.a.text = a.motto; environment.etc.b.text = b.motto; } ];
    };
  };
}
NIX
on web enact switch --flake /root/user
is "$(contents web /etc/a) $(contents web /etc/b)" "old old"
change() { on web sh -c "sed -i 's/\"[^\"]*\"/\"$1\"/' /root/a/flake.nix /root/b/flake.nix"; }
change new
on web enact switch --flake /root/user
is "$(contents web /etc/a) $(contents web /etc/b)" "old old" "what is locked"
refused web 2 enact update aa --flake /root/user
says_on_stderr "has no input 'aa'" "It has: a, b, system" "Did you mean 'a'?"
on web enact update a --flake /root/user
says_on_stdout "  a: " " -> "
says_not "  b: "
on web sh -c 'cd /root/user; exec enact switch --flake'
is "$(contents web /etc/a) $(contents web /etc/b)" "new old"
on web sh -c 'cd /root/user; exec enact update --json --flake .'
is "$(said | jq -r '.moved[].input')" b
change newer
on web enact switch --flake /root/user -U b
says_on_stderr "  b: "
is "$(contents web /etc/a) $(contents web /etc/b)" "new newer"
on web enact switch --flake /root/user -u
says_on_stderr "  a: "
is "$(contents web /etc/a)" newer
on web enact update --flake /root/user
says_on_stdout "nothing has moved"
change newest
on web enact switch --flake /root/user --update-input a --no-write-lock-file
is "$(contents web /etc/a) $(contents web /etc/b)" "newest newer"
refused web 10 enact update --flake github:nobody/nothing
says_on_stderr "not a directory on this machine"
refused web 10 enact update --flake /root/nowhere
write web /root/file.nix <<< '{ }'
refused web 10 enact update --file /root/file.nix
says_on_stderr "is no flake"
refused web 2 enact build --file /root/file.nix -u
says_on_stderr "is no flake"

step "channels: root's, and only root's"
on web enact build --no-link --flake /root/flake#web --upgrade
says_on_stderr "root has no channel to upgrade" "--update"
on web mkdir -p /nix/var/nix/profiles/per-user/root/channels/nixos
on web sh -c 'printf "#!/bin/sh\necho \"\$*\" >> /root/channels\n" > /usr/local/bin/nix-channel; chmod +x /usr/local/bin/nix-channel'
on web enact build --no-link --flake /root/flake#web --upgrade
is "$(contents web /root/channels)" "--update nixos"
on web sh -c 'cp -r /root/flake /home/alice/flake; chown -R alice: /home/alice/flake'
refused alice@web 1 sh -c 'cd; exec enact build --flake ./flake#web --upgrade'
says_on_stderr "root's" "Nothing was changed"
