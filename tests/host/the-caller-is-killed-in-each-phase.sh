# Whoever asked for a switch is killed while it is staged, activated, judged or committed: it goes on to its end
# from each, and `enact status` tells of it.

needs enact
host web

# flake_with N: a system whose checks, activation and boot loader installer can be held
flake_with() {
    configuration web flake << NIX
{ pkgs, ... }: {
  environment.etc.number.text = "$1";
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 100$1"; };
  system.preSwitchChecks.hold = "[ ! -e /run/in-stage ] || /usr/local/bin/hold-here";
  system.activationScripts.hold = "[ ! -e /run/in-activate ] || /usr/local/bin/hold-here";
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "[ ! -e /run/in-commit ] || /usr/local/bin/hold-here";
}
NIX
}
at_its_end() {
    on web enact status --json
    [ "$(said | jq -r '."under-way"')" = false ]
}

flake_with 0
on web enact switch --flake /root/flake
number=0
for phase in stage activate judge commit; do
    step "$phase"
    number=$((number + 1))
    flake_with "$number"
    system=$(built web flake)
    greeter=$(pid_of web greeter.service)
    on web touch "/run/in-$phase"
    [ "$phase" = judge ] || hold web
    begin switch web enact switch --store-path "$system" --json
    if [ "$phase" = judge ]; then
        # It watches what it started for two seconds.
        eventually 30 said_so_far switch '"phase":"judge"'
    else
        eventually 30 held web
    fi
    signal switch KILL
    ends switch 137
    says_not '"event":"end"'
    let_go web
    eventually 30 at_its_end
    is "$(contents web /etc/number)" "$number"
    is "$(running_of web)" "$system"
    is "$(profile_of web)" "$system"
    other_pid web greeter.service "$greeter"
    on web enact status
    says "exit code 0"
    missing web /var/lib/enact/transaction.json
    on web rm "/run/in-$phase"
done
