# The first switch of all, the same switch twice, a rollback after a rollback: what comes back is the
# system that ran, and the profile as it was; where there is none, that is said.

needs enact
host web

# system NAME LINES
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  environment.etc.motto.text = "$1";
  $2
}
NIX
    built web "$1"
}

# runs NAME: the system of that name, whole, with its unit
runs() {
    is "$(contents web /etc/motto)" "$1"
    is "$(running_of web)" "${!1}" "the running system"
    active web greeter.service
    [[ " $(unit_property web greeter.service Environment) " == *" OF=$1 "* ]] || fail "greeter is not that of $1"
    same_pid web steady.service "$steady"
    # shellcheck disable=SC2046  # a list
    (enter web nix-store --verify-path $(ask web nix-store --query --requisites "${!1}")) || fail "$1 is not whole"
    at_its_end web
}

profile_link() {
    ask web sh -c 'readlink /nix/var/nix/profiles/system || echo none'
}

steady=$(pid_of web steady.service)
base=$(running_of web)
one=$(system one "")
two=$(system two "")
bad=$(system bad 'systemd.services.greeter.serviceConfig.ExecStartPre = "/bin/false";')

step "where nothing was ever switched there is nothing to go back to"
snapshot web
refused web 1 enact rollback
says "No earlier system is known"
unchanged web

step "the first switch of all fails: no profile before, none after"
on web sh -c 'rm -rf /var/lib/enact /nix/var/nix/profiles/system*  /nix/var/nix/gcroots/enact'
refused web 3 enact switch --store-path "$bad"
says "Rolled back: '$base' runs again"
is "$(running_of web)" "$base"
is "$(ask web sh -c 'ls /nix/var/nix/profiles | grep system || true')" "" "what there is of the profile"
inactive web greeter.service
is "$(roots_of web)" "booted failed/${bad##*/} good"
at_its_end web

step "the first switch of all succeeds"
on web enact switch --store-path "$one"
runs one
is "$(profile_link)" system-1-link

step "the same once more changes nothing, and is nothing that a rollback could take back"
pid=$(pid_of web greeter.service)
snapshot web
on web enact switch --store-path "$one"
says "Nothing to do"
unchanged web
same_pid web greeter.service "$pid"
on web enact rollback
is "$(running_of web)" "$base"
inactive web greeter.service
is "$(profile_of web)" "$base"

step "a rollback after a rollback does not swing back to what was left"
refused web 1 enact rollback
says "No earlier system is known"
on web enact switch --store-path "$one"
on web enact switch --store-path "$two"
on web enact rollback
runs one
on web enact rollback
is "$(running_of web)" "$base"

step "to a generation whose enact.json nobody can read: as to a system that has none"
configuration web unreadable << 'NIX'
{ environment.etc.motto.text = "unreadable"; system.extraSystemBuilderCmds = "echo '{}' > enact.json"; }
NIX
unreadable=$(built web unreadable)
before=$(running_of web)
refused web 1 enact switch --store-path "$unreadable"
says "enact.json': it has no version. Nothing was changed."
on web nix-env --profile /nix/var/nix/profiles/system --set "$unreadable"
number=$(generations_of web | tail -n 1)
on web nix-env --profile /nix/var/nix/profiles/system --set "$before"
on web enact rollback "$number"
says "note: '$unreadable/enact.json' cannot be read" "done:"
is "$(running_of web)" "$unreadable"
is "$(contents web /etc/motto)" unreadable
is "$(profile_of web)" "$unreadable"
