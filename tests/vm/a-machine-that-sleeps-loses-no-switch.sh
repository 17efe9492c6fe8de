# The machine is suspended in the middle of a switch, for longer than an engine may be silent: the engine goes on
# after it and nobody rolls back, since the lease counts by what was slept through as little as a job's limit does.
# Those who are to confirm do not sleep: their time goes on, and is over.
# It may take 700 s.

needs enact

for name in one two; do
    system vm "$name" << NIX
{
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$name"; }; };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
done
host vm
one=$(path_of vm one) two=$(path_of vm two)

# slept SECONDS: suspend to memory, and be woken by the clock; by how much the time that was slept differs is told
slept() {
    on vm sh -c 'awake() { awk "/^now at/ { print int(\$3 / 1e9); exit }" /proc/timer_list; }
        before=$(awake) began=$(cut -d. -f1 /proc/uptime)
        rtcwake --mode mem --seconds "$1" > /dev/null
        echo "$(($(cut -d. -f1 /proc/uptime) - began - ($(awake) - before)))"' - "$1"
    [ "$(said)" -ge "$(($1 - 10))" ] || fail "the machine did not sleep: $(said) s"
}

step "suspended while it activates, for twice as long as an engine may be silent"
hold vm
begin switch vm enact switch --store-path "$one"
eventually 60 held vm
slept 60
let_go vm
ends switch 0
says_not "gives no sign of life" "Rolled back"
is "$(running_of vm)" "$one"
is "$(profile_of vm)" "$one"
eventually 10 at_its_end vm

step "suspended while it waits to be confirmed, past the deadline: late"
begin switch vm enact switch --confirm 60 --store-path "$two"
eventually 60 said_so_far switch "enact confirm"
is "$(running_of vm)" "$two"
slept 70
ends switch 3
says "Nobody confirmed '$two' within 60 s" "Rolled back: '$one' runs again"
refused vm 1 enact confirm
is "$(running_of vm)" "$one"
is "$(profile_of vm)" "$one"
eventually 10 at_its_end vm
