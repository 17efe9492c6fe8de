# Configurations that are no flake: a file and an attribute in it, /etc/nixos/system.nix, and machines that
# have channels, whose configuration is what nixos-config stands for.
# It may take 240 s.

needs enact
host web

configuration web flake << 'NIX'
{ environment.etc.motto.text = "plain"; }
NIX
plain=$(built web flake)
configuration web other << 'NIX'
{ environment.etc.motto.text = "other"; }
NIX
other=$(built web other)

# leads_to SYSTEM COMMAND...: run in /root
leads_to() {
    local system=$1
    shift
    on web sh -c 'cd /root; exec "$@"' - "$@"
    is "$(said)" "$system" "what was built"
}

step "a file, a directory and an attribute"
write web /root/hosts.nix << 'NIX'
{ which ? "flake" }:
let
  system = directory: ((import /usr/share/enact-tests/nixos/eval-nixos.nix) {
    lib = import /usr/share/enact-tests/nixos/lib;
    packagesFor = system: import /usr/share/enact-tests/nixos/packages.nix {
      inherit system; lib = import /usr/share/enact-tests/nixos/lib;
    };
  }) {
    system = builtins.currentSystem;
    modules = [ { networking.hostName = "web"; } /usr/share/enact-tests/enact/modules/nixos.nix
                (/root + "/${directory}/base.nix") (/root + "/${directory}/host.nix") ];
  };
in
system which // { hosts = { web = system which; "other.example.org" = system "other"; }; }
NIX
leads_to "$plain" enact build --file hosts.nix
leads_to "$plain" enact build -f ./hosts.nix -A hosts.web
leads_to "$other" enact build --file=hosts.nix --attr='hosts."other.example.org"'
leads_to "$other" enact build --file hosts.nix -- --argstr which other
on web sh -c 'mkdir /root/directory; cp /root/hosts.nix /root/directory/default.nix'
leads_to "$plain" enact build --file directory
on web sh -c 'cd /root/directory; exec enact build --attr hosts.web'
is "$(said)" "$plain"

step "slips: no such file, no such attribute, and the one that was meant"
refused web 10 enact build --file /root/none.nix
says_on_stderr "Cannot read the file '/root/none.nix'" "Nothing was changed"
refused web 10 enact build --file /root/hosts.nix --attr hosts.wbe
says_on_stderr "'hosts' of file '/root/hosts.nix' has no attribute 'wbe'" "Did you mean 'web'?"
refused web 10 enact build --file /root/hosts.nix --attr host.web
says_on_stderr "Cannot evaluate 'host.web' of file '/root/hosts.nix'"
write web /root/many.nix <<< '{ web = 1; db = 2; }'
refused web 10 enact build --file /root/many.nix
says_on_stderr "no attribute 'config'" "It has: db, web" "--attr"
refused web 2 enact build --flake /root/flake --file /root/hosts.nix
says_on_stderr "--flake and --file"
refused web 2 enact switch --flake /root/flake --store-path "$plain"
refused web 10 sh -c 'cd /; NIX_PATH= enact build --attr hosts.web'
says_on_stderr "no file for the attribute 'hosts.web'"

step "nothing is named and there is nothing: said where it was looked for"
refused web 10 sh -c 'cd /; NIX_PATH= exec enact build'
says_on_stderr "/etc/nixos/flake.nix" "NH_OS_FLAKE" "Nothing was changed"

step "a machine with channels"
on web mkdir /etc/nixos
write web /etc/nixos/configuration.nix << 'NIX'
{ imports = [ /usr/share/enact-tests/enact/modules/nixos.nix /root/flake/base.nix /root/flake/host.nix ];
  networking.hostName = "web"; }
NIX
write web /root/test.nix << 'NIX'
{ imports = [ /usr/share/enact-tests/enact/modules/nixos.nix /root/other/base.nix /root/other/host.nix ];
  networking.hostName = "web"; }
NIX
path=nixpkgs=/usr/share/enact-tests/nixos:nixos-config=/etc/nixos/configuration.nix
leads_to "$plain" env NIX_PATH=$path enact build
leads_to "$other" env NIX_PATH=$path enact build -I nixos-config=./test.nix
leads_to "$other" env NIX_PATH=$path NIXOS_CONFIG=/root/test.nix enact build
on web env NIX_PATH=$path enact switch
is "$(running_of web)" "$plain"
refused web 10 env NIX_PATH= enact build
says_on_stderr "<nixpkgs/nixos>"

step "/etc/nixos/system.nix comes before channels, a flake before both, and --no-flake leaves it out"
on web sh -c 'sed s/\"flake\"/\"other\"/ /root/hosts.nix > /etc/nixos/system.nix'
leads_to "$other" env NIX_PATH=$path enact build
on web ln -s /root/flake/flake.nix /etc/nixos/flake.nix
leads_to "$plain" enact build
leads_to "$other" enact build --no-flake
leads_to "$other" enact build --attr hosts.'"other.example.org"'

step "a switch goes there, too, at the price of one nix build"
on web sh -c 'mkdir -p /root/bin; printf "#!/bin/sh\necho \"\$*\" >> /root/calls\nexec /usr/bin/nix \"\$@\"\n" > /root/bin/nix; chmod +x /root/bin/nix'
on web env PATH=/root/bin:/usr/sbin:/usr/bin:/sbin:/bin enact switch --no-flake
is "$(running_of web)" "$other"
is "$(ask web wc -l /root/calls | cut -d' ' -f1)" 1 "calls of nix"
