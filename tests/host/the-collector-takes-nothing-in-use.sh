# A garbage collection in the middle of a switch - by a timer, by the switch's own scripts - takes
# nothing of the system that is being switched to, nor of the one to go back to. Afterwards the
# running system, the boot default and a failed one are still whole, and so is what was booted.
# It may take 300 s.

needs enact
host web

# collect: everything that nothing roots; old generations, too
collect() {
    on web nix-collect-garbage --delete-old
}

# whole SYSTEM: nothing of its closure is missing
whole() {
    # shellcheck disable=SC2046  # a list
    on web nix-store --verify-path $(ask web nix-store --query --requisites "$1")
}

at_its_end() {
    on web enact status --json
    [ "$(said | jq -r '."under-way"')" = false ]
}

step "held in a check, with nothing but enact to root it"
configuration web one << 'NIX'
{
  environment.etc.motto.text = "one";
  system.preSwitchChecks.hold = "/usr/local/bin/hold-here";
}
NIX
hold web
begin switch web enact switch --flake /root/one
eventually 30 held web
one=$(ask web readlink /nix/var/nix/gcroots/enact/candidate)
signal switch KILL # so that the out-link of the build is not what keeps it
ends switch 137
collect
whole "$one"
on web nix-store --query --roots "$one"
says "/enact/build-"
let_go web
eventually 30 at_its_end
is "$(running_of web)" "$one"
is "$(profile_of web)" "$one"
whole "$one"

step "the out-link that was left is no root for good: the next command takes it away, but not that of another one"
configuration web slow << 'NIX'
{ pkgs, ... }: { environment.etc.slow.source = pkgs.runCommand "slow" { } "/usr/local/bin/hold-here; echo > $out"; }
NIX
on web enact plan --flake /root/one
on web nix-store --query --roots "$one"
is "$(said | grep -c /enact/build-)" 0
hold web
begin slow web enact plan --flake /root/slow
eventually 30 held web
on web sh -c 'ls -d /root/.cache/enact/build-* /run/user/0/enact/build-* 2> /dev/null | wc -l'
is "$(said)" 1
on web enact plan --flake /root/one
on web sh -c 'ls -d /root/.cache/enact/build-* /run/user/0/enact/build-* 2> /dev/null | wc -l'
is "$(said)" 1
let_go web
ends slow 0

step "while it is tried out, and nothing but the running system leads to it"
configuration web three << 'NIX'
{ environment.etc.motto.text = "three"; }
NIX
on web enact test --flake /root/three
collect
whole "$(running_of web)"
whole "$one"
whole "$(booted_of web)"

step "a rollback out of the middle: the old system was made to run by something else, and nothing else names it"
configuration web foreign << 'NIX'
{ environment.etc.motto.text = "foreign"; }
NIX
configuration web four << 'NIX'
{
  environment.etc.motto.text = "four";
  system.activationScripts.collect = ''
    rm /run/current-system
    ln -s $systemConfig /run/current-system
    /usr/bin/nix-collect-garbage --delete-old
    false
  '';
}
NIX
foreign=$(built web foreign)
on web "$foreign/activate"
is "$(running_of web)" "$foreign"
four=$(built web four)
refused web 3 enact switch --flake /root/four
is "$(running_of web)" "$foreign"
is "$(contents web /etc/motto)" foreign
whole "$foreign"

step "a failed system is kept for the post-mortem"
collect
whole "$four"

step "from the activation script itself: a generation that is not current yet looks old to it"
configuration web two << 'NIX'
{
  environment.etc.motto.text = "two";
  system.activationScripts.collect = "/usr/bin/nix-collect-garbage --delete-old";
}
NIX
on web enact switch --flake /root/two
two=$(running_of web)
is "$(profile_of web)" "$two"
whole "$two"
on web test -e /run/booted-system/init

step "what was booted is kept by enact's root, too, until another one boots; no switch is needed for that"
base=$(booted_of web)
is "$(ask web readlink -f /nix/var/nix/gcroots/enact/booted)" "$base"
on web rm /nix/var/nix/gcroots/booted-system
collect
whole "$base"
reboot web
is "$(booted_of web)" "$two"
is "$(ask web readlink -f /nix/var/nix/gcroots/enact/booted)" "$two"
on web rm /nix/var/nix/gcroots/booted-system
collect
whole "$two"
missing web "$base"

step "one that was at work before is waited for; what it took by then is not switched to"
lost=/nix/store/00000000000000000000000000000000-nixos-system-lost
on web cp -a "$two" "$lost"
hold web
begin collector web flock /nix/var/nix/gc.lock sh -c '/usr/local/bin/hold-here && rm -r "$1"' - "$lost"
eventually 30 held web
begin switch web enact switch --store-path "$lost"
eventually 30 said_so_far switch "waiting for a garbage collection"
let_go web
ends collector 0
ends switch 1
says "was taken by a garbage collection. Nothing was changed."
is "$(running_of web)" "$two"
missing web /nix/var/nix/gcroots/enact/candidate
