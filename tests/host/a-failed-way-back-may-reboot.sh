# A switch fails and so does the way back: with rollback.reboot the host reboots by itself, into the old
# system, and only once. Nothing reboots without it, or where the old system is not what boots next.
# It may take 180 s.

needs enact
host web

# system NAME ENACT_JSON SCRIPT
system() {
    configuration web "$1" << NIX
{
  systemd.services.fragile = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; RemainAfterExit = true; ExecStart = "/bin/sh -c '$3'"; };
  };
  environment.etc.motto.text = "$1";
  system.extraSystemBuilderCmds = "echo '$2' > enact.json";
}
NIX
    built web "$1"
}

asks='{ \"version\": 1, \"rollback\": { \"reboot\": true } }'
silent='{ \"version\": 1 }'
good=$(system good "$silent" "test ! -e /run/broken")
other=$(system other "$silent" "test ! -e /run/broken")
bad=$(system bad "$asks" "touch /run/broken; false")
quiet=$(system quiet "$silent" "touch /run/broken; false")
on web enact switch --store-path "$good"

# no_reboot SYSTEM: it stays as it is, until somebody mends it
no_reboot() {
    says "Going back to '$1' failed, too" "'enact status' says what holds"
    attempt web systemctl is-system-running
    says degraded
    is "$(journal web -t enact-activate | grep -c 'this host reboots' || true)" 0 "words of a reboot"
    on web rm /run/broken
    on web enact switch --store-path "$good"
    is "$(running_of web)" "$good"
    missing web /var/lib/enact/transaction.json
}

step "nobody asks for it"
refused web 5 enact switch --store-path "$quiet"
no_reboot "$good"

step "the old system was only tested: what boots is another one"
on web enact test --store-path "$other"
refused web 5 enact switch --store-path "$bad"
no_reboot "$other"

step "the profile was moved by somebody else"
on web nix-env --profile /nix/var/nix/profiles/system --set "$other"
refused web 5 enact switch --store-path "$bad"
no_reboot "$good"

step "the host was rebooted over this record already: whoever tries the way back again does not"
refused web 5 enact switch --store-path "$quiet"
record=$(contents web /var/lib/enact/transaction.json |
    jq -c --arg bad "$bad" '.rebooting = true | .to = $bad | .request.toplevel = $bad')
write web /var/lib/enact/transaction.json <<< "$record"
refused web 5 /usr/libexec/enact/enact-activate recover
no_reboot "$good"

step "it is asked for, and the old system is what boots"
before=$(contents web /proc/sys/kernel/random/boot_id)
begin switch web enact switch --store-path "$bad"
host_gone web 60
boot web
is_not "$(contents web /proc/sys/kernel/random/boot_id)" "$before"
is "$(booted_of web)" "$good"
is "$(running_of web)" "$good"
is "$(profile_of web)" "$good"
is "$(contents web /etc/motto)" good
active web fragile.service
at_its_end web
on web enact log 1
says "A unit failed: fragile.service" "Going back failed, too, and the host was started anew and '$good' runs"

