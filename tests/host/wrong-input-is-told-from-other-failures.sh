# Wrong input: each kind has its exit code, one message that says what is wrong, and a host that is
# as it was. Whatever is wrong with a flake or a build, nothing live has been touched by then.

needs enact
host web

flake() { # NAME: /root/NAME/flake.nix comes on standard input
    write web "/root/$1/flake.nix"
}

# refused_unchanged CODE COMMAND...: it ends so, says that nothing was changed, and nothing was
refused_unchanged() {
    refused web "$@"
    says_on_stderr "Nothing was changed"
    is "$(said)" "" "standard output"
    unchanged web
}

configuration web good << 'NIX'
{ }
NIX
snapshot web

step "no flake there: 10"
refused_unchanged 10 enact switch --flake /root/nowhere#web
says "There is no directory '/root/nowhere'"
on web mkdir /root/empty
refused_unchanged 10 enact switch --flake /root/empty
says "There is no flake.nix in '/root/empty'"
refused_unchanged 10 enact switch
says "No configuration was named" "/etc/nixos/flake.nix"

step "a flake without hosts, a host that it does not have: 10, and the names that it has"
flake homeless << 'NIX'
{ outputs = _: { lib = { }; }; }
NIX
refused_unchanged 10 enact switch --flake path:/root/homeless#web
says "nixosConfigurations" "path:/root/homeless"
flake hosts << 'NIX'
{ outputs = _: { nixosConfigurations = { web1 = { }; web2 = { }; mail = { }; }; }; }
NIX
refused_unchanged 10 enact switch --flake path:/root/hosts#mial
says "no host 'mial'" "It has: mail, web1, web2" "Did you mean 'mail'?"
refused_unchanged 10 enact switch --flake path:/root/hosts
says "no host 'web'" "It has: mail, web1, web2"
refused_unchanged 10 enact switch --flake path:/root/hosts#printer
says "no host 'printer'" "It has: mail, web1, web2"
says_not "Did you mean"
flake none << 'NIX'
{ outputs = _: { nixosConfigurations = { }; }; }
NIX
refused_unchanged 10 enact switch --flake path:/root/none#web
says "It has: none"

step "a syntax error, an evaluation error, a wrong option: 10, and where it is"
flake syntax << 'NIX'
{ outputs = _: { nixosConfigurations = { ; }
NIX
refused_unchanged 10 enact switch --flake path:/root/syntax#web
says "syntax error" "flake.nix:1:"
flake thrown << 'NIX'
{ outputs = _: { nixosConfigurations.web = throw "the disk of web is not known"; }; }
NIX
refused_unchanged 10 enact switch --flake path:/root/thrown#web
says "the disk of web is not known"
configuration web option << 'NIX'
{ servces.greeter.enable = true; }
NIX
refused_unchanged 10 enact switch --flake /root/option#web
says "servces"
configuration web asserts << 'NIX'
{ assertions = [ { assertion = false; message = "a greeter wants a guest"; } ]; }
NIX
refused_unchanged 10 enact switch --flake /root/asserts#web
says "a greeter wants a guest"

step "a build that fails: 11, the end of its log, and how to see the rest"
configuration web failing << 'NIX'
{ pkgs, ... }: {
  environment.etc.made.source = pkgs.runCommand "brittle" { } ''
    for i in $(seq 1 40); do echo "step $i of brittle"; done
    echo "brittle broke" >&2
    exit 7
  '';
}
NIX
refused_unchanged 11 enact switch --flake /root/failing#web
says "brittle" "step 40 of brittle" "brittle broke" "nix log /nix/store/" "exit code 7"
says_not "step 2 of brittle"

step "a build that fails while evaluating needs its result: 11 as well"
configuration web importing << 'NIX'
{ pkgs, ... }: {
  environment.etc.imported.text = import (pkgs.runCommand "imported" { } "echo no luck; exit 3");
}
NIX
refused_unchanged 11 enact switch --flake /root/importing#web
says "imported" "no luck"

step "no nix on PATH: 10"
on web mkdir /root/bin
refused_unchanged 10 env PATH=/root/bin /usr/bin/enact switch --flake /root/good#web
says "There is no program 'nix' on PATH"

step "a git repository of somebody else, which git does not open: 10, explained"
on web cp -r /root/good /home/alice/good
on web sh -ec 'cd /home/alice/good; git -c init.defaultBranch=main init -q; git add .; chown -R alice: .'
refused_unchanged 10 enact switch --flake /home/alice/good#web
says "belongs to 'alice'" "safe.directory '/home/alice/good'"
says_not "--help" # of git's own words

step "what is no system is not switched to: 1"
refused_unchanged 1 enact switch --store-path /root/good
says "/root/good"
tool=$(ask web nix build --impure --no-link --json --expr '
    derivation { name = "tool"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "echo > $out" ]; }' |
    jq -r '.[0].outputs.out')
refused_unchanged 1 enact switch --store-path "$tool"
says "'$tool' is no NixOS system"
refused_unchanged 1 enact switch --store-path /nix/store/00000000000000000000000000000000-gone
says "00000000000000000000000000000000-gone" "No such file or directory"
refused_unchanged 1 enact rollback 99
says "no generation 99"

step "wrong words: 2, and nothing is even looked at"
while read -r word line; do
    # shellcheck disable=SC2086  # words
    refused web 2 enact $line
    says_on_stderr "$word" "enact"
    is "$(said)" "" "standard output"
    says_not "building" "evaluating"
done << 'END'
frobnicate frobnicate
--frobnicate switch --frobnicate
/root/good switch /root/good
--attr switch --attr
-x switch -x
-p switch -p
one build one two
rollback rollback 1 2
one rollback one
status status now
--override-input switch --override-input nixpkgs
empty switch --flake /root/good#""
--help
END
unchanged web
