# A journald that hangs (a slow disk, a debugger) takes no message any more. The journal's copy of
# the story is what is lost then: the switch goes on, and whoever asked for it reads all of it.

needs enact
host web

configuration web flake << 'NIX'
{
  environment.etc.motto.text = "new";
  system.activationScripts.talk = ''
    /usr/local/bin/hold-here
    for i in $(seq 1 2000); do echo "line $i"; done
  '';
}
NIX
hold web
begin switch web enact switch --flake /root/flake
eventually 30 held web
on web systemctl kill --signal=STOP systemd-journald.service
let_go web
SECONDS=0
ends switch 0
[ "$SECONDS" -lt 20 ] || fail "it was held up for $SECONDS s"
says "line 1" "line 2000" "done:"
is "$(contents web /etc/motto)" new
on web systemctl kill --signal=CONT systemd-journald.service
