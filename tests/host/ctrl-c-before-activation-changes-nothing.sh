# Ctrl-C, or another request to end, before activation begins: during the evaluation, the build or a
# pre-switch check, enact ends at once with 130 and nothing has changed. The next switch works.

needs enact
host web

# stopped_at PLACE SIGNAL: /root/flake is switched to, is held up, and gets the signal there
stopped_at() {
    step "$1: $2"
    hold web
    begin switch web enact switch --flake /root/flake
    eventually 30 held web
    if [ "$2" = INT ]; then
        signal switch INT
    else
        on web pkill --signal "$2" -x enact
    fi
    SECONDS=0
    ends switch 130
    [ "$SECONDS" -lt 5 ] || fail "it took its time: $SECONDS s"
    says "Interrupted" "Nothing was changed"
    let_go web
    unchanged web
    refused web 1 pgrep -x nix
    eventually 30 refused web 1 pgrep -f "^/usr/libexec/enact/enact-activate"
    on web enact status
    says_not "under way" "interrupted"
}

snapshot web

configuration web flake << 'NIX'
{ pkgs, ... }: {
  environment.etc.read.text = builtins.readFile (pkgs.runCommand "imported" { } "/usr/local/bin/hold-here; echo > $out");
}
NIX
stopped_at "a build while evaluating" INT

configuration web flake << 'NIX'
{ pkgs, ... }: {
  environment.etc.built.source = pkgs.runCommand "slow" { } "/usr/local/bin/hold-here; echo > $out";
}
NIX
for signal in INT TERM HUP; do
    stopped_at "a build" "$signal"
done

configuration web flake << 'NIX'
{ system.preSwitchChecks.slow = "/usr/local/bin/hold-here"; }
NIX
for signal in INT TERM HUP; do
    stopped_at "a pre-switch check" "$signal"
done

step "an engine that does not hear is left alone when Ctrl-C comes again"
hold web
begin switch web enact switch --flake /root/flake
eventually 30 held web
on web pkill --signal STOP -f "^/usr/libexec/enact/enact-activate run"
signal switch INT
# shellcheck disable=SC2016  # for the host's shell
eventually 30 on web sh -c 'grep -q "^ShdPnd:.*4000$" /proc/$(pgrep -f "^/usr/libexec/enact/enact-activate run")/status'
signal switch INT
ends switch 130
says "Let go" "was told to stop" "'enact status'"
on web pkill --signal CONT -f "^/usr/libexec/enact/enact-activate run"
eventually 30 refused web 1 pgrep -f "^/usr/libexec/enact/enact-activate"
let_go web
unchanged web

step "the same system can be switched to afterwards"
on web enact switch --flake /root/flake
says "done:" "generation 2"
is "$(generations_of web | xargs)" "1 2"
