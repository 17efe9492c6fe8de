# The drop-in goes on to its end though its terminal hangs up, its reader goes away, or it has no standard
# output at all; what it cannot say is lost, and nothing else: no file gets words that were not for it.

needs enact
host web

# next N: /root/flake's greeter sleeps so long, and its activation talks and can be held; sets system
next() {
    configuration web flake << NIX
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $1"; };
  system.activationScripts.talk = ''
    /usr/local/bin/hold-here
    for i in \$(seq 1 2000); do echo "line \$i of an activation"; done
    echo done > /run/talked-$1
  ''; }
NIX
    system=$(built web flake)
    greeter=$(pid_of web greeter.service)
}

# went_well N: the switch to it came to its end
went_well() {
    eventually 30 journal_says web "finished switching to system configuration $system" -t nixos
    is "$(running_of web)" "$system"
    exists web "/run/talked-$1"
    [ "$greeter" = 0 ] || other_pid web greeter.service "$greeter"
    active web greeter.service
    is "$(ask web stat -c %s /run/nixos/switch-to-configuration.lock)" 0 "the size of the lock file"
    on web systemctl is-system-running
}

step "closed standard error, closed outputs, everything closed"
next 1000
on web sh -c "$system/bin/switch-to-configuration test 2>&-"
went_well 1000
next 1001
on web sh -c "$system/bin/switch-to-configuration test >&- 2>&-"
went_well 1001
next 1002
on web sh -c "$system/bin/switch-to-configuration test <&- >&- 2>&-"
went_well 1002

step "a reader that goes away"
next 1003
on web bash -c "$system/bin/switch-to-configuration test 2>&1 | head -1"
went_well 1003

step "a standard error that is full"
next 1004
on web sh -c "$system/bin/switch-to-configuration test 2> /dev/full"
went_well 1004

step "a terminal that hangs up in mid-switch"
next 1005
hold web
begin switch web script --quiet --command "$system/bin/switch-to-configuration test" /dev/null
eventually 30 held web
signal switch KILL
ends switch 137
let_go web
went_well 1005

step "SIGHUP and SIGPIPE, also to all of its processes"
next 1006
hold web
begin switch web "$system/bin/switch-to-configuration" test
eventually 30 held web
signal switch HUP
signal switch PIPE
let_go web
ends switch 0
went_well 1006

step "enact itself, without any output"
next 1007
on web sh -c "enact switch --store-path $system <&- >&- 2>&-"
is "$(running_of web)" "$system"
other_pid web greeter.service "$greeter"

step "Ctrl-C in mid-switch ends neither it nor its activation script"
next 1010
hold web
begin interrupted web "$system/bin/switch-to-configuration" test
eventually 30 held web
signal interrupted INT
let_go web
ends interrupted 0
went_well 1010

step "nor does SIGTERM"
next 1011
hold web
begin terminated web "$system/bin/switch-to-configuration" test
eventually 30 held web
signal terminated TERM
let_go web
ends terminated 0
went_well 1011
