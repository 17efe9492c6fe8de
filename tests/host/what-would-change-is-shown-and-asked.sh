# Before a switch: `enact plan` tells packages, units and why a reboot is needed; `--ask` shows the same and asks
# when all is built; `--dry-run` builds nothing. Who says no has changed nothing.
# It may take 240 s.

needs enact
host web

configuration web one << 'NIX'
{ pkgs, ... }: {
  environment.systemPackages = [ (pkgs.runCommand "tool-1.0" { pname = "tool"; version = "1.0"; } "mkdir -p $out/bin; echo > $out/bin/tool") ];
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; };
}
NIX
configuration web two << 'NIX'
{ pkgs, ... }: {
  environment.systemPackages = [ (pkgs.runCommand "tool-2.0" { pname = "tool"; version = "2.0"; } "mkdir -p $out/bin; head -c 200000 /dev/zero > $out/bin/tool") ];
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; };
}
NIX
on web enact switch --flake /root/one#web
two=$(built web two)
snapshot web

step "the plan: packages with versions and sizes, units with their reasons"
on web enact plan --flake /root/two#web
says_on_stdout "packages" "tool: 1.0 -> 2.0, +" "size +" "greeter.service" "ExecStart" "digest"
on web enact plan --json --flake /root/two#web
is "$(said | jq -c '.packages[] | select(.name == "tool") | [.old, .new]')" '[["1.0"],["2.0"]]'
is "$(said | jq -c '[.start[].unit | select(. == "greeter.service")], .reboot, (.bytes > 0)' | xargs)" '[greeter.service] [] true'

step "who may not ask Nix, and where it is not there: the units are told all the same"
on bob@web enact plan --store-path "$two"
says_on_stdout "greeter.service"
says_on_stderr "which packages differ is not known" "Permission denied"
on web /usr/bin/env PATH=/usr/sbin:/sbin /usr/bin/enact plan --store-path "$two"
says_on_stdout "greeter.service"
says_on_stderr "which packages differ is not known"
unchanged web

# at_terminal ANSWER COMMAND: with a terminal at which ANSWER is typed
at_terminal() {
    local answer=$1
    shift
    attempt web sh -c 'printf "%b" "$1" | script -qec "$2" /dev/null' - "$answer" "$*"
}

step "asked, and no is the answer"
at_terminal 'n\n' enact switch --ask --flake /root/two#web
is "$code" 0
says "tool: 1.0 -> 2.0" "greeter.service" "switch '$two'? [y/N]" "declined: Nothing was changed"
unchanged web
at_terminal '\n' enact boot -a --flake /root/two#web
is "$code" 0
says "tool: 1.0 -> 2.0" "boot '$two'? [y/N]"
says_not "greeter.service"
unchanged web

step "Ctrl-C at the question, and a terminal that goes away"
on web mkfifo /root/silence
begin asked web sh -c 'exec script -qec "enact switch --ask --flake /root/two#web" /dev/null 0<> /root/silence'
eventually 60 said_so_far asked "[y/N]"
on web pkill -INT -x enact
ends asked 130
unchanged web
begin asked web sh -c 'exec script -qec "enact switch --ask --flake /root/two#web" /dev/null 0<> /root/silence'
eventually 60 said_so_far asked "[y/N]"
on web pkill -KILL -x script
eventually 30 refused web 1 pgrep -x enact
unchanged web

step "nobody can be asked: told before anything is built"
refused web 2 enact switch --ask --flake /root/two#web
says_on_stderr "--ask needs a terminal"
says_not "evaluating"

step "a dry run of each verb changes nothing"
for verb in switch test boot; do
    on web enact "$verb" --dry-run --flake /root/two#web
    says_on_stdout "there already"
    on web enact "$verb" -n --store-path "$two"
    says_on_stdout "$two"
done
on web enact switch -n --rollback
says_on_stdout "/nix/store"
unchanged web

step "yes is the answer"
at_terminal 'y\n' enact switch --ask --flake /root/two#web
is "$code" 0
is "$(running_of web)" "$two"
