# A switch that has begun does not need whoever asked for it: the terminal closes, enact, its root
# helper or the whole login session are killed, and it ends well all the same. `enact status` tells
# of it while it runs and afterwards.

needs enact
host web

number=0

# number_flake: /root/flake gets one more new configuration, whose activation can be held
number_flake() {
    number=$((number + 1))
    configuration web flake << NIX
{
  environment.etc.number.text = "$number";
  system.activationScripts.hold = ''
    for i in \$(seq 1 500); do echo "line \$i of an activation"; done
    /usr/local/bin/hold-here
  '';
}
NIX
    old=$(running_of web)
}

# under_way [USER@]HOST COMMAND...: the command has begun a switch that is held in its activation
under_way() {
    hold web
    begin switch "$@"
    eventually 30 held web
    on bob@web enact status
    says "under way" "phase 'activate'"
    is "$(profile_of web)" "$old"
}

at_its_end() {
    on web enact status --json
    [ "$(said | jq -r '."under-way"')" = false ]
}

# ends_well: let go, it does what it was to do
ends_well() {
    on bob@web enact status
    says "under way"
    let_go web
    eventually 30 at_its_end
    is "$(contents web /etc/number)" "$number"
    is_not "$(running_of web)" "$old"
    is "$(profile_of web)" "$(running_of web)"
    on web enact status
    says "last switch" "exit code 0"
    says_not "under way" "interrupted"
    on web systemctl is-system-running
    missing web /var/lib/enact/transaction.json
}

step "enact is asked to end, by Ctrl-C or otherwise: it lets go and says where to look"
for signal in INT TERM HUP; do
    number_flake
    under_way web enact switch --flake /root/flake
    signal switch "$signal"
    ends switch 130
    says "goes on" "'enact status'"
    says_not "Nothing was changed"
    ends_well
done

step "enact is killed"
number_flake
under_way web enact switch --flake /root/flake
signal switch KILL
ends switch 137
ends_well

step "the root helper is killed: enact says that it lost it, and where to look"
number_flake
under_way web enact switch --flake /root/flake
on web sh -c 'kill -KILL $(pgrep -f "^/usr/libexec/enact/enact-activate serve")'
ends switch 5
says "goes on" "'enact status'"
says_not "Nothing was changed"
ends_well

step "both are killed at once"
number_flake
under_way web enact switch --flake /root/flake
on web sh -c 'kill -KILL $(pgrep -x enact) $(pgrep -f "^/usr/libexec/enact/enact-activate serve")'
ends switch 137
ends_well

step "the terminal closes"
number_flake
under_way web script --quiet --command "enact switch --flake /root/flake" /dev/null
signal switch KILL
ends switch 137
eventually 30 refused web 1 pgrep -x enact
ends_well

step "the login session of who asked is terminated, with all that is in it"
number_flake
system=$(built web flake)
under_way alice@web enact switch --store-path "$system"
on web loginctl terminate-user alice
eventually 30 refused web 1 pgrep -x enact
eventually 30 refused web 1 pgrep -f "^/usr/libexec/enact/enact-activate serve"
ends_well

step "nobody reads what enact says"
number_flake
attempt web bash -c 'enact switch --flake /root/flake 2>&1 | grep -m 1 activating'
says "activating"
eventually 30 at_its_end
is "$(contents web /etc/number)" "$number"
is "$(profile_of web)" "$(running_of web)"
