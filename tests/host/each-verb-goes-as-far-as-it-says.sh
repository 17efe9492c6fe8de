# build, plan and dry-activate change nothing; boot changes what a reboot brings, test what runs until
# then, switch both. rollback goes back by the recorded system, or to a generation by its number.

needs enact
host web

# version N: /root/vN, whose greeter sleeps 1000+N and whose scripts say so
version() {
    configuration web "v$1" << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep $((1000 + $1))";
  };
  system.activationScripts.tell = {
    supportsDryActivation = true;
    text = ''
      if [ "\$NIXOS_ACTION" = dry-activate ]; then echo "would write $1"; else echo "wrote $1"; fi
    '';
  };
  system.activationScripts.live = "echo activated $1";
}
NIX
    built web "v$1"
}

runs() {
    is "$(running_of web)" "$1" "the running system"
}

boots() {
    is "$(profile_of web)" "$1" "the boot default"
}

sleeps() { # SECONDS: what greeter.service runs with
    is "$(ask web pgrep -a -x sleep | grep -c "sleep $1\$")" 1 "processes that sleep $1"
}

first=$(running_of web)
v1=$(version 1)
v2=$(version 2)
v3=$(version 3)

step "build: a link, and nothing else"
snapshot web
on web enact build --flake /root/v1
is "$(said)" "$v1"
is "$(ask web readlink /root/result)" "$v1"
unchanged web

step "plan, dry-activate: what would be done and why; nothing is done"
on web enact switch --flake /root/v1
snapshot web
on web find /var/lib/enact /nix/var/nix/gcroots/enact /run/enact -printf '%p %T@\n'
before=$(said)
for verb in plan dry-activate; do
    on web enact $verb --flake /root/v2
    says_on_stdout "stop" "start" "greeter.service" "ExecStart" "sleep 1001" "sleep 1002"
    says_not "steady.service" "activated" "wrote"
    unchanged web
done
says "would write 2"
on web enact plan --json --flake /root/v2
is "$(said | jq -r '[.version, .stop[].unit, (.start[] | select(.hidden | not) | .unit)] | join(" ")')" \
    "1 greeter.service greeter.service"
is "$(said | jq -r '.from + " " + .to')" "$v1 $v2"
digest=$(said | jq -r .digest)
on bob@web enact plan --json --store-path "$v2"
is "$(said | jq -r .digest)" "$digest" "what bob is shown"
on web enact plan --store-path "$v1"
says "no unit changes"
on web find /var/lib/enact /nix/var/nix/gcroots/enact /run/enact -printf '%p %T@\n'
is "$(said)" "$before" "enact's own files"

step "test: it runs, and a power cut undoes it"
on web enact test --flake /root/v2
says "activated 2" "the boot default stays"
says_not "generation"
runs "$v2"
boots "$v1"
is "$(generations_of web | xargs)" "1 2"
sleeps 1002
on web enact test --flake /root/v2
says "Nothing to do"
power_cut web
boot web
runs "$v1"
sleeps 1001

step "boot: nothing live changes, and a power cut brings it"
snapshot web
on web enact boot --flake /root/v2
says "it runs after a reboot"
says_not "activating" "activated 2"
runs "$v1"
boots "$v2"
sleeps 1001
is "$(generations_of web | xargs)" "1 2 3"
on web enact boot --flake /root/v2
says "Nothing to do"
power_cut web
boot web
runs "$v2"
is "$(booted_of web)" "$v2"
sleeps 1002

step "switch to what runs but is not the boot default: only that is done"
on web enact test --flake /root/v3
greeter=$(pid_of web greeter.service)
on web enact switch --flake /root/v3
says "it ran already"
says_not "activated 3"
same_pid web greeter.service "$greeter"
boots "$v3"
is "$(generations_of web | xargs)" "1 2 3 4"

step "rollback: to the system from before, and on to the one before that, until there is none"
on web enact rollback
says "done:"
runs "$v2"
boots "$v2"
sleeps 1002
is "$(generations_of web | xargs)" "1 2 3 4"
on web enact rollback
runs "$v1"
boots "$v1"
sleeps 1001
on web enact rollback
runs "$first"
boots "$first"
inactive web greeter.service
snapshot web
refused web 1 enact rollback
says "No earlier system" "enact generations" "Nothing was changed"
unchanged web

step "rollback to a generation by its number, forwards as well"
on web enact rollback 4
runs "$v3"
boots "$v3"
is "$(ask web readlink /nix/var/nix/profiles/system)" system-4-link
on web enact rollback 4
says "Nothing to do"
on web enact rollback 1
runs "$first"
is "$(ask web readlink /nix/var/nix/profiles/system)" system-1-link

step "a switch after a rollback is a new generation"
on web enact switch --flake /root/v1
runs "$v1"
is "$(generations_of web | xargs)" "1 2 3 4 5"
is "$(ask web readlink /nix/var/nix/profiles/system)" system-5-link

step "generations that nix-env makes are respected, and enact's by nix-env"
on web nix-env --profile /nix/var/nix/profiles/system --set "$v2"
is "$(generations_of web | xargs)" "1 2 3 4 5 6"
on web enact status
says "running        $v1" "boot default   $v2"
on web enact switch --flake /root/v3
is "$(ask web readlink /nix/var/nix/profiles/system)" system-7-link
on web nix-env --profile /nix/var/nix/profiles/system --rollback
is "$(ask web readlink /nix/var/nix/profiles/system)" system-6-link
runs "$v3"
on web enact switch --flake /root/v3
boots "$v3"
runs "$v3"
is "$(ask web readlink /nix/var/nix/profiles/system)" system-7-link
missing web /nix/var/nix/profiles/system.lock
