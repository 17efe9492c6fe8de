# Sockets that are new or changed beside a service that runs, whichever way the two know each other: by Wants= in the
# target's file, by another name, by a Service= that was another one before. All of them listen afterwards.

needs enact
host web

# units OLD: true for the first system, false for the second
units() {
    cat << NIX
{ lib, ... }:
let
  old = $1;
  sleeper = { serviceConfig.ExecStart = "/bin/sleep infinity"; };
  new = lib.optionalAttrs (!old);
in {
  systemd.services = { named = sleeper; other = sleeper; upheld = sleeper; aliased = sleeper // { aliases = [ "by-another-name.service" ]; }; plain = sleeper; }
    // { starts = { serviceConfig.ExecStart = "/bin/sleep \${if old then "1001" else "1002"}"; stopIfChanged = false; wants = [ "late.service" ]; after = [ "late.service" ]; };
         late = sleeper;
         unasked.serviceConfig.ExecStart = "/bin/sleep \${if old then "1003" else "1004"}";
         asked.serviceConfig.ExecStart = "/bin/sleep \${if old then "1005" else "1006"}"; };
  systemd.targets.ours = { wantedBy = [ "multi-user.target" ]; unitConfig = new { Wants = [ "named.socket" ]; }; };
  systemd.sockets = {
    moves = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/moves" ]; socketConfig = { X-RestartIfChanged = true; Service = if old then "plain.service" else "other.service"; }; };
    unasked.listenStreams = [ "/run/unasked" ];
    asked = { wantedBy = [ "sockets.target" ]; listenStreams = [ "/run/asked" ]; };
  } // new {
    named = { listenStreams = [ "/run/named" ]; };
    upheld = { listenStreams = [ "/run/upheld" ]; upheldBy = [ "ours.target" ]; };
    again = { wantedBy = [ "ours.target" ]; listenStreams = [ "/run/again" ]; socketConfig.Service = "by-another-name.service"; };
    late = { wantedBy = [ "ours.target" ]; listenStreams = [ "/run/late" ]; };
  };
}
NIX
}
configuration web one <<< "$(units true)"
configuration web two <<< "$(units false)"
on web enact switch --flake /root/one
on web systemctl start named.service other.service upheld.service aliased.service plain.service
on web systemctl start starts.service
on web systemctl stop late.service asked.socket
on web systemctl start unasked.service asked.service

on web enact switch --flake /root/two
is "$(ask web systemctl is-system-running)" running
for socket in named upheld again moves late; do
    active web "$socket.socket"
    exists web "/run/$socket"
done
for service in named upheld aliased plain other starts late; do active web "$service.service"; done

step "a changed service whose socket is down: that starts it where a target wants it, and else nobody would"
active web unasked.service
on web pgrep -f "sleep 1004"
inactive web unasked.socket
active web asked.socket
inactive web asked.service
