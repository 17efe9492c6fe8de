# A walk through random systems, there and back at each step: the plan is what the switch then does, and back
# again every unit is in the state that it was in. ENACT_TEST_SEED walks another way, ENACT_TEST_STEPS farther.

needs enact
host web

seed=${ENACT_TEST_SEED:-$((10#$(date +%j%H%M)))}
steps=${ENACT_TEST_STEPS:-5}
echo "ENACT_TEST_SEED=$seed"
RANDOM=$seed

# one_of WORDS...: sets word to one of them; not in a subshell, which would draw the same each time
one_of() {
    local -a words=("$@")
    word=${words[RANDOM % $#]}
}

# a_service NUMBER: a line of a configuration; mostly there, with this flag or that
a_service() {
    local target flag

    ((RANDOM % 5 > 0)) || return 0
    one_of multi-user.target multi-user.target walk.target
    target=$word
    one_of "" "" "" "stopIfChanged = false;" "restartIfChanged = false;" "reloadIfChanged = true;" \
        "reloadIfChanged = true; serviceConfig.ExecReload = \"/bin/true\";" \
        "enable = false;" "reloadTriggers = [ $((RANDOM % 3)) ];" \
        "serviceConfig.Type = \"oneshot\"; serviceConfig.RemainAfterExit = true;" "description = \"number $((RANDOM % 3))\";"
    flag=$word
    local command="/bin/sleep 100$((RANDOM % 3))"
    [[ $flag != *oneshot* ]] || command="/bin/sleep 0.0$((RANDOM % 3))"
    printf '  systemd.services.walk-%s = { wantedBy = [ "%s" ]; serviceConfig.ExecStart = "%s"; %s };\n' "$1" "$target" "$command" "$flag"
}

# a_system NUMBER: the configuration /root/walk-NUMBER
a_system() {
    local n

    {
        printf '{\n  systemd.targets.walk = { wantedBy = [ "multi-user.target" ]; unitConfig.X-StopOnReconfiguration = %s; };\n' "$((RANDOM % 4 == 0))"
        for ((n = 1; n <= 12; n++)); do
            a_service "$n"
        done
        printf '  systemd.services.walk-often = { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };\n'
        ((RANDOM % 4 == 0)) || printf '  systemd.timers.walk-often = { wantedBy = [ "timers.target" ]; timerConfig.OnActiveSec = "%sd"; };\n' "$((RANDOM % 3 + 1))"
        printf '  systemd.services.walk-dialled = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 100%s"; };\n' "$((RANDOM % 3))"
        printf '  systemd.sockets.walk-dialled = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/walk" ]; socketConfig = { Backlog = %s; X-RestartIfChanged = %s; }; };\n' \
            "$((RANDOM % 3 + 5))" "$((RANDOM % 2))"
        printf '}\n'
    } > "$place/module"
    configuration web "walk-$1" < "$place/module"
    cat "$place/module"
}

# states: of the units that a walk touches
states() {
    ask web systemctl list-units --all --plain --no-legend --full 'walk*' steady.service bystander.service |
        awk '$3 == "active" || $3 == "failed" { print $1, $3 }' | sort
}

# goes SYSTEM: there, doing what the plan said
goes() {
    on web enact-activate-plan "$1"
    said | jq -r '. as $p | ["stop", "reload", "restart", "start"][] as $job | $p[$job][] | "\($job) \(.unit)"' | sort > "$place/plan"
    on web enact test --store-path "$1" --json
    said | jq -r 'select(.event == "job" and .user == null) | "\(.job) \(.unit)"' | grep -v sysinit-reactivation | sort -u > "$place/done" # sockets.target is seen to twice
    diff -u <(grep -v sysinit-reactivation "$place/plan") "$place/done" || fail "the switch did other things than the plan said (seed $seed)"
    is "$(ask web systemctl is-system-running)" running
}
write web /usr/local/bin/enact-activate-plan << 'SH'
#!/bin/sh
exec /usr/libexec/enact/enact-activate plan --json --from "$(readlink /run/current-system)" --to "$1"
SH
on web chmod +x /usr/local/bin/enact-activate-plan

steady=$(pid_of web steady.service)
a_system 0 > "$place/system"
here=$(built web walk-0)
on web enact test --store-path "$here"
for ((i = 1; i <= steps; i++)); do
    step "step $i of $steps"
    a_system "$i" > "$place/system"
    there=$(built web "walk-$i")
    cat "$place/system"
    states > "$place/before"
    goes "$there"
    states > "$place/there"
    goes "$here"
    states > "$place/back"
    diff -u "$place/before" "$place/back" || fail "there and back is not as it was (seed $seed)"
    same_pid web steady.service "$steady"
    goes "$there"
    here=$there
done
