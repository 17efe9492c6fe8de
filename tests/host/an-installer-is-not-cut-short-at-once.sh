# The host is told to power off while a boot loader installer hangs: that has five minutes, not one as other
# scripts, for in the middle of a boot partition is the worst place to be cut short at. Then the host goes
# down with the record open, and the next boot has the old system's installer put right what it left.
# It may take 480 s.

needs enact
host web

system() { # NAME LINE
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; }; };
  systemd.hostUnits."multi-user.target" = [ "enact-recover.service" ];
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "echo \$1 >> /root/installed; $2";
}
NIX
    built web "$1"
}

good=$(system good true)
on web enact switch --store-path "$good"
new=$(system new /usr/local/bin/hold-here)

step "powered off while it hangs"
hold web
begin switch web enact switch --store-path "$new"
eventually 30 held web
unit=$(engine_of web)
began=$SECONDS
going_down web
host_gone web 400
took=$((SECONDS - began))
[ "$took" -ge 290 ] || fail "the installer had only $took s"
# Whoever asked may be killed with the host (143) before the last word reaches them; the log has it.
ends switch 1 143

step "what boots is the old system, and its installer has had the last word"
boot web
is "$(booted_of web)" "$good" "the booted system"
is "$(running_of web)" "$good" "the running system"
is "$(profile_of web)" "$good" "the boot default"
is "$(ask web tail -n 1 /root/installed)" "$good" "what the installer was run for last"
is "$(ask web grep -c "$new" /root/installed)" 1 "how often it was run for the new one"
[[ " $(unit_property web greeter.service Environment) " == *" OF=good "* ]] || fail "greeter is not that of good"
is "$(generations_of web | xargs)" "1 2" "the generations"
at_its_end web
id=${unit#enact-}
on web enact log --json "${id%.service}"
is "$(said | jq -c '[.entries[].exit]')" "[1]" "the exit codes in the log"
