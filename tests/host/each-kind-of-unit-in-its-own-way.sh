# One switch that changes a unit of each kind: services by their flags, timers, sockets, paths, slices,
# instances of templates, what is gone, masked, new, or only for a person to start. What nobody
# changed keeps its process.

needs enact
host web

# units N: the same units, told apart by N
units() {
    cat << NIX
{ lib, pkgs, ... }:
let
  always = config: lib.recursiveUpdate {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep infinity";
    serviceConfig.ExecReload = "/bin/sh -c 'echo reloaded > /run/\$MAINPID.reloaded'";
  } config;
  n = "$1";
  old = n == "1";
in {
  systemd.services = {
    plain = always { environment.N = n; };
    restarts = always { environment.N = n; stopIfChanged = false; };
    reloads = always { environment.N = n; reloadIfChanged = true; };
    keeps = always { environment.N = n; restartIfChanged = false; };
    refuses = always { environment.N = n; unitConfig.RefuseManualStop = true; };
    by-hand = lib.recursiveUpdate (always { environment.N = n; unitConfig.X-OnlyManualStart = true; }) { wantedBy = lib.mkForce [ ]; };
    triggered = always { restartTriggers = [ n ]; };
    reload-triggered = always { reloadTriggers = [ n ]; };
    described = always { description = "version \${n}"; unitConfig.Documentation = "man:x(\${n})"; };
    idle = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    once = always { environment.N = n; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c 'echo \$N >> /run/once'"; }; };
    "many@" = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    "own@b" = always { environment.N = n; wantedBy = lib.mkForce [ ]; };
    "own@" = { serviceConfig.ExecStart = "/bin/sleep infinity"; };
    dialled = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    talked-to = always { environment.N = n; requires = [ "talked-to.socket" ]; };
    timed = { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };
    watched = { serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; }; };
    within = always { serviceConfig.Slice = "mine.slice"; };
    of-a-target = { wantedBy = [ "mine.target" ]; environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    alias-of = always { environment.N = n; aliases = [ "also-known.service" ]; };
    hidden = always { enable = old; };
  } // (if old then {
    gone = always { };
    gone-but-kept = always { unitConfig.X-StopOnRemoval = false; };
  } else {
    new = always { };
    new-of-target = { wantedBy = [ "mine.target" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    new-unwanted = { serviceConfig.ExecStart = "/bin/sleep infinity"; };
  });
  systemd.timers.timed = { wantedBy = [ "timers.target" ]; timerConfig.OnActiveSec = if old then "1d" else "2d"; };
  systemd.sockets.dialled = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/dialled" ]; };
  systemd.sockets.talked-to = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/talked-to" ]; };
  systemd.sockets.moved = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/moved" ]; socketConfig.Service = "dialled.service"; socketConfig.Backlog = 10 + (if old then 0 else 1); };
  systemd.paths.watched = { wantedBy = [ "paths.target" ]; pathConfig.PathExists = "/run/watched-\${n}"; };
  systemd.slices.mine.sliceConfig.CPUWeight = if old then 50 else 60;
  systemd.targets.mine = { wantedBy = [ "multi-user.target" ]; };
}
NIX
}

configuration web one <<< "$(units 1)"
configuration web two <<< "$(units 2)"
on web enact switch --flake /root/one
on web systemctl start many@a.service own@b.service by-hand.service

kept=(steady bystander reloads keeps refuses by-hand reload-triggered described within gone-but-kept own@a)
restarted=(plain restarts triggered once many@a own@b talked-to of-a-target alias-of)
on web systemctl start own@a.service
declare -A pid=() invocation=()
for unit in "${kept[@]}" "${restarted[@]}"; do
    pid[$unit]=$(pid_of web "$unit.service")
    invocation[$unit]=$(invocation_of web "$unit.service")
done
for unit in dialled.socket talked-to.socket moved.socket watched.path mine.slice timed.timer mine.target; do
    active web "$unit"
    invocation[$unit]=$(invocation_of web "$unit")
done

step "the plan says so beforehand, with its reasons"
on web enact plan --flake /root/two
says "gone.service" "the new system does not have it" "hidden.service" "the new system masks it" \
    "keeps.service" "it asks not to be restarted (X-RestartIfChanged" "refuses.service" "RefuseManualStop" \
    "by-hand.service" "only a person may start it" "timed.timer" "OnActiveSec" "X-Restart-Triggers" "X-Reload-Triggers"
for unit in steady bystander described within idle new-unwanted; do
    is "$(said | grep -c "$unit.service" || true)" 0 "mentions of $unit.service"
done

on web enact switch --flake /root/two
is "$(ask web systemctl is-system-running)" running

step "left alone, also where reloaded or skipped"
for unit in "${kept[@]}"; do
    is "$(invocation_of web "$unit.service")" "${invocation[$unit]}" "the run of $unit.service"
    same_pid web "$unit.service" "${pid[$unit]}"
done
for unit in reloads reload-triggered; do
    exists web "/run/${pid[$unit]}.reloaded"
    says "reload  $unit.service"
done
for unit in keeps refuses by-hand plain; do
    missing web "/run/${pid[$unit]}.reloaded"
done
is "$(unit_property web described.service Description)" "version 2"
inactive web idle.service

step "restarted, each once, with what is new"
for unit in "${restarted[@]}"; do
    active web "$unit.service"
    is_not "$(invocation_of web "$unit.service")" "${invocation[$unit]}" "the run of $unit.service"
    is "$(journal web _SYSTEMD_UNIT=init.scope -u "$unit.service" | grep -cE "^(Started|Finished) " || true)" 2 "starts of $unit.service"
done
is "$(contents web /run/once | xargs)" "1 2"

step "gone, masked: stopped; new and wanted: started"
inactive web gone.service
inactive web hidden.service
active web new.service
active web new-of-target.service
inactive web new-unwanted.service
is "$(unit_property web hidden.service LoadState)" masked

step "timers, sockets, paths, slices, targets"
active web timed.timer
on web systemctl show timed.timer --property=TimersMonotonic
says "2d"
for unit in dialled.socket talked-to.socket watched.path mine.slice mine.target; do
    active web "$unit"
done
is "$(invocation_of web mine.target)" "${invocation[mine.target]}"
on web systemctl show mine.slice --property=CPUWeight
says "CPUWeight=60"
inactive web dialled.service
exists web /run/dialled
on web touch /run/watched-2
eventually 30 journal_says web "Finished watched.service"

step "and back again, as if nothing had been"
on web enact rollback
is "$(ask web systemctl is-system-running)" running
active web gone.service
active web hidden.service
inactive web new.service
inactive web new-of-target.service
same_pid web steady.service "${pid[steady]}"
same_pid web keeps.service "${pid[keeps]}"
