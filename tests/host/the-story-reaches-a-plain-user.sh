# A person who reads no journals sees the whole story of their switch: what scripts print, what units
# did, how it ended. Also where journald keeps nothing, is restarted in the middle, or does not run.

needs enact
host web

number=0

# changed: one more configuration; its activation talks, is held up, and talks on
changed() {
    number=$((number + 1))
    configuration web flake << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep $((1000 + number))";
  };
  system.activationScripts.talk = ''
    echo "script $number begins"
    for i in \$(seq 1 300); do echo "script $number says \$i"; done
    /usr/local/bin/hold-here
    echo "script $number ends" >&2
  '';
}
NIX
}

# whole_story: the last command told all of it, and in order
whole_story() {
    says_on_stderr "Checking switch inhibitors... done" "activating" "script $number begins" \
        "script $number says 1" "script $number says 300" "script $number ends" "done:" "boot default"
    if [ "$number" -gt 1 ]; then
        says_on_stderr "stop    greeter.service" "start   greeter.service"
    fi
    is "$(grep -c "script $number says" "$place/last/err")" 300 "lines of the script"
    is "$(grep -oE "activating|script [0-9]+ (begins|ends)|done:" "$place/last/err" | tr '\n' ' ')" \
        "activating script $number begins script $number ends done: "
    is "$(profile_of web)" "$system"
    is "$(running_of web)" "$system"
}

# alice_switches WORD...: and while the activation is held up, the command is run
alice_switches() {
    changed
    system=$(built web flake)
    if [ $# -gt 0 ]; then
        hold web
    fi
    begin switch alice@web enact switch --store-path "$system"
    if [ $# -gt 0 ]; then
        eventually 30 held web
        eventually 30 said_so_far switch "script $number says 300"
        "$@"
        let_go web
    fi
    ends switch 0
    whole_story
}

step "alice is not in systemd-journal"
refused alice@web 1 journalctl --quiet --unit steady.service --grep Started
alice_switches
step "with --json: an object a line, on standard output"
number=$((number + 1))
changed
system=$(built web flake)
on alice@web enact switch --json --store-path "$system"
is "$(said | jq -r 'select(.event == "output") | .text' | grep -c "script $number says")" 300
is "$(said | jq -r 'select(.event == "end") | .exit')" 0

step "journald is restarted in the middle"
alice_switches on web systemctl restart systemd-journald.service

step "journald is killed in the middle"
alice_switches on web systemctl kill --signal=KILL systemd-journald.service
eventually 30 active web systemd-journald.service

step "journald keeps nothing"
write web /etc/systemd/journald.conf.d/none.conf << 'END'
[Journal]
Storage=none
END
on web systemctl restart systemd-journald.service
alice_switches

step "journald does not run"
on web systemctl stop systemd-journald.socket systemd-journald-dev-log.socket systemd-journald-audit.socket \
    systemd-journald.service
inactive web systemd-journald.service
alice_switches

step "a unit that fails then: what it said is lost, that it failed is not"
configuration web failing << 'NIX'
{ systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; };
  };
}
NIX
failing=$(built web failing)
refused alice@web 3 enact switch --store-path "$failing"
says "greeter.service is failed" "Rolled back: '$system' runs again."
is "$(running_of web)" "$system"
