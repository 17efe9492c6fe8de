# On a terminal a few rows show what Nix does and follow its width; Ctrl-C while building, and a terminal that goes
# away, change nothing; a failed build tells its last lines when it fails. A pipe and a dumb terminal get plain lines.

needs enact
host web

on web mkfifo /root/keys

# terminal NAME COMMAND: at a terminal whose keys are what comes through /root/keys
terminal() {
    local name=$1
    shift
    # shellcheck disable=SC2016  # for the host's shell
    begin "$name" web sh -c 'exec script -qec "TERM=xterm NO_COLOR=1 $1" /dev/null 0<> /root/keys' - "$*"
}

# held_up NAME: Nix builds, at a terminal, what is held up
held_up() {
    hold web
    terminal "$1" enact switch --flake /root/slow
    eventually 30 held web
    eventually 10 said_so_far "$1" "building a-package-with-a-long-name"
    eventually 10 said_so_far "$1" "built 0 of"
}

configuration web slow << 'NIX'
{ pkgs, ... }: {
  environment.etc.built.source = pkgs.runCommand "a-package-with-a-long-name" { } "echo first; /usr/local/bin/hold-here; echo > $out";
}
NIX
configuration web bad << 'NIX'
{ pkgs, ... }: {
  environment.etc.built.source = pkgs.runCommand "bad" { } "echo 'one word'; echo 'last word'; exit 3";
}
NIX
snapshot web

step "Ctrl-C while building, after the terminal has become narrow"
held_up narrow
# shellcheck disable=SC2016  # for the host's shell
on web sh -c 'stty -F "$(readlink "/proc/$(pgrep -x enact)/fd/2")" cols 20 rows 5'
eventually 10 said_so_far narrow "building a-packag.."
on web sh -c 'printf "\003" > /root/keys'
ends narrow 130
says "Interrupted. Nothing was changed."
let_go web
unchanged web
refused web 1 pgrep -x nix

step "a terminal that goes away while building"
held_up away
on web pkill -KILL -x script
eventually 20 refused web 1 pgrep -x enact
let_go web
unchanged web
eventually 20 refused web 1 pgrep -x nix

step "a failed build tells which it is and its last lines, once"
terminal bad enact switch --flake /root/bad
ends bad 11
says "failed to build bad: /nix/store/" "Last 2 of 2 log lines of 'bad':" "  > last word" "Nothing was changed."
is "$(said | grep -c "  > last word")" 1
unchanged web
refused web 11 enact switch --json --flake /root/bad
is "$(said | jq -c 'select(.kind == "build-failed") | .log')" '["one word","last word"]'
is "$(said | jq -r 'select(.kind == "progress") | .builds.done >= 0' | tail -n 1)" true

step "a pipe and a dumb terminal get a line for each thing that begins"
refused web 11 enact switch --flake /root/bad
says_on_stderr "evaluating web" "building bad" "failed to build bad: /nix/store/" "  > last word"
says_not $'\033' "built 0 of"
on web sh -c '! script -qec "TERM=dumb enact switch --flake /root/bad" /dev/null < /dev/null'
says "evaluating web" "building bad" "  > last word"
says_not $'\033' "built 0 of"

step "what was built is the line that remains"
terminal good enact switch --flake /root/slow
ends good 0
says "built " "done:"
