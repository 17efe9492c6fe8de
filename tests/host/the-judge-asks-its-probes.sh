# Probes that the system declares, or that are named on the command line, decide with the units: http, tcp, systemd and
# exec, good, bad, late and hanging. One that failed before the switch already decides nothing. All are asked side by
# side, none without end, and whoever wants the switch to stop does not wait for them.
# It may take 400 s.

needs enact
host web

# site ANSWER PROBES [MODULE]: a server on port 8080 that ends what it is asked with the shell's ANSWER
site() {
    configuration web one << NIX
{ pkgs, ... }: {
  systemd.sockets.site = { wantedBy = [ "sockets.target" ]; socketConfig = { ListenStream = "127.0.0.1:8080"; Accept = true; }; };
  systemd.services."site@".serviceConfig = {
    StandardInput = "socket";
    StandardError = "journal";
    ExecStart = pkgs.writeShellScript "site" ''
      while IFS= read -r line && [ "\''\${#line}" -gt 1 ]; do :; done
      $1
      printf 'HTTP/1.1 %s X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n' "\$status"
    '';
  };
  environment.etc.motto.text = "$RANDOM$RANDOM";
  system.extraSystemBuilderCmds =
    let own = pkgs.writeShellScript "own" ''
      echo "asked as \$ENACT_PROBE"; \$1
    ''; in ''
    echo '{"version":1,"judge":{"window":0.2,"probes":[$2]}}' | sed "s|OWN|\${own}|" > \$out/enact.json
  '';
  imports = [ { ${3:-} } ];
}
NIX
}

# probe NAME KEYS [RETRIES [GRACE]]
probe() {
    printf '{"name":"%s",%s,"timeout":1,"period":0.2,"retries":%s,"grace":%s}' "$1" "$2" "${3:-1}" "${4:-0}"
}

# evidence TEXT...: that of the last switch has each
evidence() {
    local text found

    found=$(ask web sh -c 'cat "$(ls /var/lib/enact/history/*.json | tail -n 1)"' | grep -o '"evidence":.*')
    for text; do
        [[ $found == *"$text"* ]] || fail "the evidence has no '$text': $found"
    done
}

# rolled_back TEXT...: a switch to what is configured fails, and each TEXT is said
rolled_back() {
    refused web 3 enact switch --flake /root/one
    says "$@" "Rolled back: '$old' runs again."
    is "$(running_of web)" "$old"
    is "$(profile_of web)" "$old"
}

old=$(running_of web)
web=$(probe web '"type":"http","url":"http://127.0.0.1:8080/"')
ssh=$(probe port '"type":"tcp","address":"127.0.0.1:8080"')
unit=$(probe unit '"type":"systemd","unit":"site.socket"')
own=$(probe own '"type":"exec","command":["OWN","true"]')

step "a probe that comes with its service counts at once"
nobody=$(probe nobody '"type":"tcp","address":"127.0.0.1:9"')
site 'status=503' "$web"
rolled_back "A probe failed: 'web' (status 503)"
site 'status=200' "$web"
on web enact switch --flake /root/one
says "probe   web: status 200"
evidence '"verdict":"good"' '{"name":"web","before":"failed","after":"ok","text":"status 200"}'
old=$(running_of web)

step "down before the switch, it decides nothing: neither where it comes up nor where it stays down"
site 'status=200' "$web,$nobody"
rolled_back "A probe failed: 'nobody' (Failed to connect"
refused web 4 enact switch --flake /root/one --no-rollback
site 'status=204' "$web,$nobody"
on web enact switch --flake /root/one
says "probe   nobody: failed: Failed to connect" "(already before the switch, so it decides nothing)" "probe   web: status 204"
evidence '"verdict":"good"' '{"name":"nobody","before":"failed","after":"failed"'

step "each kind of probe, all of them good"
site 'status=204' "$web,$ssh,$unit,$own"
on web enact switch --flake /root/one
says "probe   web: status 204" "probe   port: it accepts connections" "probe   unit: site.socket is active" \
    "probe   own: exit status 0: asked as own"
evidence '{"name":"own","before":"ok","after":"ok","text":"exit status 0: asked as own"}'
old=$(running_of web)

step "a bad answer, and the old system gives the good one again"
site 'status=503' "$web,$ssh"
rolled_back "A probe failed: 'web' (status 503)"
evidence '"verdict":"bad","bad":[]' '{"name":"web","before":"ok","after":"failed","text":"status 503"}' \
    '"rollback":{"verdict":"good"' '{"name":"web","before":"ok","after":"ok","text":"status 204"}'
site 'status=204' "$(probe web '"type":"http","url":"http://127.0.0.1:8080/","status":200')"
on web enact switch --flake /root/one
on web enact switch --store-path "$old"

step "a server that accepts and never answers, a program that hangs, a port that is closed: all at once"
site 'exec sleep 1000' "$web"
rolled_back "A probe failed: 'web'" "timed out"
site 'status=200' "$(probe gone '"type":"systemd","unit":"steady.service","state":"inactive"')"
rolled_back "A probe failed: 'gone' (steady.service is active)"
site 'status=200' "$web"
on web enact switch --flake /root/one
old=$(running_of web)
site 'status=200' "$web,$(probe hangs '"type":"exec","command":["OWN","eval test -e /run/once || { touch /run/once; exit 0; }; exec sleep 4711"]')"
rolled_back "A probe failed: 'hangs' (no answer within 1.0 s)"
refused web 1 pgrep -fx 'sleep 4711'

step "a program's words are shown, and the first of them is the reason"
site 'status=200' "$web,$(probe speaks '"type":"exec","command":["OWN","eval test -e /run/spoke || { touch /run/spoke; exit 0; }; echo the disk; echo is on fire; exit 3"]' 0)"
rolled_back "A probe failed: 'speaks' (exit status 3: asked as speaks)" "  the disk" "  is on fire"
evidence '"text":"exit status 3: asked as speaks\nthe disk\nis on fire"'

step "an address that nobody answers from"
site 'status=200' "$web,$(probe void '"type":"tcp","address":"10.77.0.250:9"')"
rolled_back "A probe failed: 'void'" "timed out"

step "one of each kind that comes up late, but within its grace"
site 'if [ -e /run/soon ] && [ ! -e /run/later ]; then status=503; else status=200; fi' "$(probe web '"type":"http","url":"http://127.0.0.1:8080/"' 0 30),$(
    probe unit '"type":"systemd","unit":"later.service"' 0 30),$(
    probe port '"type":"tcp","address":"127.0.0.1:8081"' 0 30),$(
    probe own '"type":"exec","command":["OWN","test -e /run/later"]' 0 30)" '
  systemd.services.soon = { wantedBy = [ "multi-user.target" ]; before = [ "late.service" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/touch /run/soon"; }; };
  systemd.services.late = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sh -c \"sleep 3; touch /run/later; systemctl start --no-block later.service later.socket; exec sleep 1000\""; }; };
  systemd.services.later.serviceConfig.ExecStart = "/bin/sleep 1001";
  systemd.services.answers.serviceConfig.ExecStart = "/bin/sleep 1002";
  systemd.sockets.later.socketConfig = { ListenStream = "127.0.0.1:8081"; Service = "answers.service"; };'
on web enact switch --flake /root/one
says "probe   web: status 200" "probe   unit: later.service is active" "probe   port: it accepts connections" "probe   own: exit status 0"
evidence '"before":"ok","after":"ok"'
old=$(running_of web)

step "named on the command line"
program=$(ask web sh -c 'ls -d /nix/store/*-own')
site 'status=500' ''
refused web 3 enact switch --flake /root/one --judge-window 0 --probe http:http://127.0.0.1:8080/ --probe tcp:127.0.0.1:8080 \
    --probe systemd:site.socket --probe "exec:${program%%$'\n'*}"
says "A probe failed: 'http:http://127.0.0.1:8080/' (status 500)" "probe   tcp:127.0.0.1:8080: it accepts connections" \
    "probe   systemd:site.socket: site.socket is active" "probe   exec:"
refused web 2 enact switch --flake /root/one --probe exec:/bin/sh
says "--probe takes a program below /nix/store, not 'exec:/bin/sh'"

step "told to stop, it does not wait for a probe"
site 'exec sleep 1000' "$(probe web '"type":"http","url":"http://127.0.0.1:8080/"' 1000 600)"
begin waiting web enact switch --flake /root/one
eventually 30 said_so_far waiting "waiting for the probe web"
on web systemctl stop 'enact-2*.service'
ends waiting 3
is "$(running_of web)" "$old"
