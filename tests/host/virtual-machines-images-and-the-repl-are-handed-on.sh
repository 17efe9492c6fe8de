# build-vm, build-image, repl and edit: the configuration that the command line means, handed to Nix and to
# the editor.

needs enact
host web

configuration web flake << 'NIX'
{ pkgs, config, ... }:
let thing = name: pkgs.runCommand name { } "mkdir -p $out/bin; echo ${config.networking.hostName} > $out/bin/run-web-vm";
in {
  system.build.vm = thing "vm";
  system.build.vmWithBootLoader = thing "vm-with-boot-loader";
  system.build.images = { raw = thing "raw-image"; qcow = thing "qcow-image"; };
}
NIX

step "a virtual machine: built, linked, and how it is started"
on web sh -c 'cd /root; exec enact build-vm --flake ./flake#web'
says_on_stdout "-vm"
says_on_stderr "start it by" "bin/run-web-vm"
is "$(ask web sh -c 'readlink /root/result')" "$(said)"
on web sh -c 'cd /root; exec enact build-vm-with-bootloader --flake ./flake#web --no-link'
says_on_stdout "vm-with-boot-loader"
on web sh -c 'cd /root; exec enact build-vm -n --flake ./flake#web'
says_on_stdout "there already"

step "images: those that there are, and one of them"
on web enact build-image --flake /root/flake#web
is "$(said | xargs)" "qcow raw"
on web enact build-image --json --flake /root/flake#web
is "$(said | jq -c .variants)" '["qcow","raw"]'
on web sh -c 'cd /; exec enact build-image --image-variant raw --flake /root/flake#web -o /root/image'
says_on_stdout "raw-image"
is "$(ask web readlink /root/image)" "$(said)"
refused web 10 enact build-image --image-variant rwa --flake /root/flake#web --no-link

step "the repl has the configuration in scope"
on web sh -c 'printf ":p config.networking.hostName\n:p builtins.attrNames flake.nixosConfigurations\n" | enact repl --flake /root/flake#web'
says '"web"'
write web /root/file.nix << 'NIX'
{ hosts.web = { config.networking.hostName = "of a file"; options = { }; pkgs = null; }; }
NIX
on web sh -c 'printf ":p config.networking.hostName\n" | enact repl --file /root/file.nix --attr hosts.web'
says '"of a file"'

step "the editor gets the file"
on web env EDITOR='echo edits' VISUAL= enact edit --flake /root/flake#web
is "$(said)" "edits /root/flake/flake.nix"
on web env EDITOR=echo VISUAL= enact edit --file /root/file.nix
is "$(said)" "/root/file.nix"
on web env EDITOR=echo VISUAL= NIX_PATH=nixos-config=/root/machine.nix enact edit --no-flake
is "$(said)" /root/machine.nix
refused web 10 env EDITOR=echo enact edit --flake github:nobody/nothing
says_on_stderr "not a directory on this machine"
