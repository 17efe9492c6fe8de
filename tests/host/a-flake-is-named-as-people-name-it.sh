# A flake and a host as people write them: a directory, `.`, `.#web`, a file, path: and git+file: URLs,
# quoted names, names with dots, environment variables, /etc/nixos; and options that are Nix' own.

needs enact
host web

configuration web flake << 'NIX'
{ environment.etc.motto.text = "plain"; }
NIX
plain=$(built web flake)

# finds COMMAND...: run in /root/flake, it leads to the same system
finds() {
    on web sh -c 'cd "$1"; shift; exec "$@"' - /root/flake "$@"
    is "$(said)" "$plain" "what was built"
}

step "a directory, with and without a host; the host's name is this machine's"
finds enact build --flake .#web
finds enact build --flake .
finds enact build --flake '#web'
finds enact build --flake /root/flake
finds enact build --flake ../flake#web
finds enact build -F /root/flake/#web
finds enact build --flake /root/flake/flake.nix
finds enact build --flake path:/root/flake#web
finds enact build --flake '.#"web"'
finds env ENACT_FLAKE=/root/flake enact build
finds env ENACT_FLAKE=/root/flake#web NH_FLAKE=/nowhere enact build
on web mkdir /root/flake/below
on web sh -c 'cd /root/flake/below; exec enact build --flake .'
is "$(said)" "$plain"

step "/etc/nixos, and a link there"
on web sh -ec 'cp -r /root/flake /etc/nixos; rm -rf /etc/nixos/below /etc/nixos/result'
on web enact build
is "$(said)" "$plain"
on web sh -ec 'rm -r /etc/nixos; mkdir /etc/nixos; ln -s /root/flake/flake.nix /etc/nixos/flake.nix'
on web enact build
is "$(said)" "$plain"

step "a git repository: what it does not track is not there, and said so"
configuration web repo << 'NIX'
{ environment.etc.motto.text = "plain"; imports = [ ./more.nix ]; }
NIX
write web /root/repo/more.nix <<< '{ }'
git=(git -C /root/repo -c init.defaultBranch=main -c user.name=alice -c user.email=alice@web)
on web "${git[@]}" init -q
refused web 10 enact build --flake /root/repo
says "git add"
on web "${git[@]}" add flake.nix base.nix host.nix
refused web 10 enact build --flake /root/repo
says "more.nix"
on web "${git[@]}" add .
on web enact build --flake /root/repo
is "$(said)" "$plain"
on web "${git[@]}" commit -q -m all
on web enact build --flake git+file:///root/repo#web
is "$(said)" "$plain"
on web enact build --flake "git+file:///root/repo?ref=main#web"
is "$(said)" "$plain"
on web sh -c 'mkdir -p /root/repo/machines; git -C /root/repo mv flake.nix flake.lock base.nix host.nix more.nix machines/'
on web enact build --flake "git+file:///root/repo?dir=machines#web"
is "$(said)" "$plain"
on web enact build --flake /root/repo/machines
is "$(said)" "$plain"

step "names with dots, blanks and other odd letters"
write web /root/odd/flake.nix << 'NIX'
{
  inputs.flake.url = "path:/root/flake";
  outputs = { flake, ... }: {
    nixosConfigurations = {
      "web.example.org" = flake.nixosConfigurations.web;
      "web" = throw "the wrong one";
      "a b" = flake.nixosConfigurations.web;
      "50%^x" = flake.nixosConfigurations.web;
      "übung" = flake.nixosConfigurations.web;
    };
  };
}
NIX
for name in web.example.org '"web.example.org"' 'a b' '50%^x' übung; do
    on web enact build --flake "path:/root/odd#$name"
    is "$(said)" "$plain" "what '$name' leads to"
done
refused web 10 enact build --flake "path:/root/odd#web.exmaple.org"
says "no host 'web.exmaple.org'" "Did you mean 'web.example.org'?"

step "options that are Nix' own, by name and after --"
configuration web other << 'NIX'
{ environment.etc.motto.text = "other"; }
NIX
other=$(built web other)
on web enact build --flake path:/root/odd#web.example.org --override-input flake path:/root/other --no-write-lock-file
is "$(said)" "$other"
on web enact build --flake path:/root/odd#web.example.org --no-write-lock-file -- --override-input flake path:/root/other
is "$(said)" "$other"
refused web 10 enact build --flake path:/root/odd#web -- --option no-such-setting true --override-input flake path:/nowhere
on web enact build --flake /root/flake --impure --option cores 1 -j 1 -L --show-trace --keep-going -k
is "$(said)" "$plain"

step "an override counts for the names as well, and a switch goes where it leads"
on web enact switch --flake path:/root/odd#web.example.org --override-input flake path:/root/other --no-write-lock-file
is "$(running_of web)" "$other"
