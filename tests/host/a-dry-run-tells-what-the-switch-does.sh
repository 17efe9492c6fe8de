# A dry run changes nothing at all, and what it forecasts is what the switch then does, unit by unit: for enact
# and for the drop-in, in a change that touches every kind of unit.

needs enact
host web

# units OLD: true for the first system, false for the second
units() {
    cat << NIX
{ lib, ... }:
let
  old = $1;
  n = if old then "1" else "2";
  always = more: lib.recursiveUpdate { wantedBy = [ "multi-user.target" ]; environment.N = n;
    serviceConfig = { ExecStart = "/bin/sleep infinity"; ExecReload = "/bin/true"; }; } more;
in {
  systemd.services = {
    plain = always { aliases = [ "plain-by-name.service" ]; };
    steady = { wantedBy = [ "multi-user.target" ]; aliases = [ "steady-by-name.service" ]; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    on-steady = always { reloadIfChanged = true; bindsTo = [ "steady-by-name.service" ]; after = [ "steady.service" ]; };
    on-plain = always { reloadIfChanged = true; requires = [ "plain-by-name.service" ]; after = [ "plain.service" ]; };
    on-mount = always { reloadIfChanged = true; unitConfig.RequiresMountsFor = "/srv/gone/below"; };
    restarts = always { stopIfChanged = false; };
    reloads = always { reloadIfChanged = true; };
    keeps = always { restartIfChanged = false; };
    triggered = always { environment.N = "0"; reloadTriggers = [ n ]; };
    dialled = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
    timed.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
    watched.serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
    listed.serviceConfig.ExecStart = "/bin/sleep infinity";
    "many@" = { environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
  } // (if old then { gone = always { }; } else { new = always { }; });
  systemd.timers.timed = { wantedBy = [ "timers.target" ]; timerConfig.OnActiveSec = "\${n}d"; };
  systemd.sockets.dialled = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/dialled-\${n}" ]; };
  systemd.sockets.timed = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/timed" ]; socketConfig.Backlog = if old then 10 else 20; };
  systemd.paths.watched = { wantedBy = [ "paths.target" ]; pathConfig.PathExists = "/run/watched-\${n}"; };
  systemd.slices.mine.sliceConfig.CPUWeight = if old then 50 else 60;
  systemd.mounts = [ { where = "/srv/options"; what = "tmpfs"; type = "tmpfs"; options = "size=\${n}m"; wantedBy = [ "multi-user.target" ]; }
    { where = "/srv/what"; what = "source-\${n}"; type = "tmpfs"; wantedBy = [ "multi-user.target" ]; } ]
    ++ lib.optional old { where = "/srv/gone"; what = "tmpfs"; type = "tmpfs"; wantedBy = [ "multi-user.target" ]; };
  fileSystems."/srv/tab" = { device = "tmpfs"; fsType = "tmpfs"; options = [ "size=\${n}m" ]; };
  systemd.user.services.companion = { wantedBy = [ "default.target" ]; environment.N = n; serviceConfig.ExecStart = "/bin/sleep infinity"; };
  system.activationScripts.lists = { supportsDryActivation = true; text = ''
    case \$NIXOS_ACTION in
    dry-activate) list=dry-activation-restart-list ;;
    *) list=activation-restart-list ;;
    esac
    echo listed.service > /run/nixos/\$list
  ''; };
}
NIX
}
configuration web one <<< "$(units true)"
configuration web two <<< "$(units false)"
on web loginctl enable-linger alice
eventually 30 active web user@1000.service
two=$(built web two)

for round in enact drop-in; do
    step "$round: from the first system, with what nobody wants running, too"
    on web enact switch --flake /root/one
    on web systemctl start many@a.b.service many@c.service listed.service
    if [ "$round" = drop-in ]; then
        snapshot web
        on web "$two/bin/switch-to-configuration" dry-activate
        sed -n 's/^would \([a-z]*\) the following units: \(.*\)/\1 \2/p' "$place/last/err" | sort > "$place/forecast"
        unchanged web
        on web "$two/bin/switch-to-configuration" test
        sed -n 's/^stopping the following/stop the following/; s/^reloading the following/reload the following/
            s/^restarting the following/restart the following/; s/^starting the following/start the following/
            s/^\([a-z]*\) the following units: \(.*\)/\1 \2/p' "$place/last/err" | sort > "$place/done"
    else
        snapshot web
        on web enact dry-activate --flake /root/two --json
        forecast_of > "$place/forecast"
        unchanged web
        on web enact plan --flake /root/two --json
        forecast_of > "$place/plan"
        unchanged web
        # What an activation script lists is not in the plan: only the script knows, and the dry run asks it.
        diff -u "$place/plan" <(grep -v listed.service "$place/forecast") ||
            fail "the plan and the dry run tell different things"
        grep -q 'restart listed.service' "$place/forecast" || fail "the dry run does not ask the activation script"
        on web enact switch --flake /root/two --json
        jobs_of > "$place/done"
    fi
    cat "$place/done"
    grep -q '^:\?reload .*on-steady.service' "$place/done" || fail "what is bound to a unit by another name is not reloaded"
    for unit in on-plain on-mount; do
        grep -q "^:\?start .*$unit.service" "$place/done" || fail "$unit is not started"
    done
    diff -u "$place/forecast" "$place/done" || fail "the switch did other things than the dry run told"
done
