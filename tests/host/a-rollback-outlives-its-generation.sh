# A system that another program made, a current generation that is not the highest, one that is deleted
# and collected while a rollback goes there: what comes back is the system that ran, and the profile as
# it was.

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
one=$(system one "")
two=$(system two "")
bad=$(system bad 'systemd.services.greeter.serviceConfig.ExecStartPre = "/bin/false";')

on web enact switch --store-path "$one"

step "the system before was made by nix-env and NixOS' own program"
on web nix-env --profile /nix/var/nix/profiles/system --set "$two"
on web "$two/bin/switch-to-configuration" switch
runs two
link=$(profile_link)
before=$(generations_of web)
refused web 3 enact switch --store-path "$bad"
says "Rolled back: '$two' runs again"
runs two
is "$(profile_link)" "$link"
is "$(generations_of web)" "$before"

step "the current generation is not the highest"
on web nix-env --profile /nix/var/nix/profiles/system --switch-generation 2
on web "$one/bin/switch-to-configuration" switch
runs one
refused web 3 enact switch --store-path "$bad"
says "Rolled back: '$one' runs again"
runs one
is "$(profile_link)" system-2-link
is "$(generations_of web)" "$before"
three=$(system three "")
on web enact switch --store-path "$three"
runs three
is "$(profile_link)" "system-$(($(tail -n 1 <<< "$before") + 1))-link"

step "its generation is deleted and collected while a rollback goes there"
back=$(system back 'system.activationScripts.hold = "/usr/local/bin/hold-here";')
on web enact switch --store-path "$back"
hold web
begin switch web enact switch --store-path "$bad"
eventually 30 said_so_far switch "rolling back"
eventually 30 held web
on web nix-env --profile /nix/var/nix/profiles/system --set "$one"
on web nix-collect-garbage --delete-old
let_go web
ends switch 3
says "Rolled back: '$back' runs again"
runs back

step "the same while a rollback by hand goes there"
on web enact switch --store-path "$one"
hold web
begin rollback web enact rollback
eventually 30 held web
on web nix-collect-garbage --delete-old
let_go web
ends rollback 0
runs back
is "$(profile_of web)" "$back"

step "collected while the boot loader is installed for a new system"
new=$(system new '
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install" "/usr/local/bin/hold-here";')
hold web
begin switch web enact switch --store-path "$new"
eventually 30 held web
on web nix-collect-garbage --delete-old
let_go web
ends switch 0
runs new
is "$(profile_of web)" "$new"
