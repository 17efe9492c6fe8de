# The main job: a switch restarts exactly the service whose definition changed, a second switch does
# nothing and says so, and a rollback brings the first system back with one restart more.

needs enact
host web

step "a first switch adds a service, and leaves those that run alone"
configuration web flake << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
first=$(running_of web)
steady=$(pid_of web steady.service)
on web enact switch --flake /root/flake#web
says "done:" "it is generation 2 of 'system' and the boot default"
active web greeter.service
same_pid web steady.service "$steady"
one=$(running_of web)
is_not "$one" "$first"
is "$(profile_of web)" "$one"
is "$(generations_of web | xargs)" "1 2"
greeter=$(pid_of web greeter.service)

step "a changed option restarts that service and no other"
configuration web flake << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1002"; }; }
NIX
on web enact switch --flake /root/flake#web
says "greeter.service"
says_not "steady.service" "bystander.service"
other_pid web greeter.service "$greeter"
same_pid web steady.service "$steady"
two=$(running_of web)
is "$(profile_of web)" "$two"
changed=$(pid_of web greeter.service)

step "the same again is nothing to do"
snapshot web
on web enact switch --flake /root/flake#web
says "Nothing to do"
unchanged web

step "a rollback is a switch to the recorded system: one restart, nothing else"
on web enact rollback
says "done:"
is "$(running_of web)" "$one"
is "$(profile_of web)" "$one"
other_pid web greeter.service "$changed"
same_pid web steady.service "$steady"
is "$(generations_of web | xargs)" "1 2 3"

step "generations and status tell what runs"
on web enact generations
says "2 " "current, default, running" "$one" "$two"
on web enact generations --json
is "$(said | jq -r '.generations[] | select(.running) | .generation')" 2
on web enact status
says "running        $one" "boot default   $one" "booted         $first" "last rollback"
on web enact status --json
is "$(said | jq -r '.default + " " + (.last.exit | tostring)')" "$one 0"
