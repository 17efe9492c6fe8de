# No room for the profile's link, the state or the roots, or all of them read-only: the switch says
# how much there is and ends with 1 before anything is touched, or is rolled back where the room ends
# later; no half-made file stays. When there is room again the same switch works.

needs enact
host web

# narrowed DIR FREE [PAGES]: the file system there has room for FREE more files, and PAGES of content in all
narrowed() {
    on web sh -ec '
        used=$(stat -f -c "%c %d" "$1")
        mount -o "remount,nr_inodes=$((${used% *} - ${used#* } + $2))${3:+,size=$((4096 * $3))}" "$1"' - "$@"
}

# crowded DIR FREE [PAGES]: DIR is such a file system
crowded() {
    on web sh -ec '
        mkdir -p "$1" /root/copy
        cp -a "$1/." /root/copy/
        mount -t tmpfs -o mode=0755 tmpfs "$1"
        cp -a /root/copy/. "$1/"
        rm -r /root/copy' - "$1"
    narrowed "$@"
    eventually 30 active web "$(ask web systemd-escape --path --suffix=mount "$1")"
}

roomy() {
    on web umount "$1"
    eventually 30 inactive web "$(ask web systemd-escape --path --suffix=mount "$1")"
}

nothing_left() {
    is "$(ask web sh -c 'find /nix/var/nix/profiles /nix/var/nix/gcroots/enact /var/lib/enact \
        -name ".*" -o -name candidate -o -name "*.lock" -o -name transaction.json' 2> /dev/null)" "" "files left over"
}

# refused_unchanged COMMAND...: 1, nothing touched, nothing left
refused_unchanged() {
    refused web 1 "$@"
    says "$why"
    says_not "activating" "done:"
    unchanged web
    nothing_left
    on web enact status
    says_not "under way" "interrupted"
}

configuration web flake << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
system=$(built web flake)
first=$(running_of web)
switch="enact switch --store-path $system"
configuration web check << 'NIX'
{ system.preSwitchChecks.wait = "/usr/local/bin/hold-here"; }
NIX
configuration web script << 'NIX'
{ system.activationScripts.wait = "/usr/local/bin/hold-here"; }
NIX
check=$(built web check)
script=$(built web script)

step "the profiles: room for nothing, or for less than all that is made there"
for free in 0 1 15; do
    why="KiB and $free files are free, and 1024 KiB and 16 files are needed"
    crowded /nix/var/nix/profiles "$free"
    snapshot web
    refused_unchanged $switch
    refused_unchanged enact boot --store-path "$system"
    roomy /nix/var/nix/profiles
done

step "less than a MiB"
crowded /nix/var/nix/profiles 40 255
snapshot web
why="There is no room for a switch in '/nix/var/nix/profiles': 10"
refused_unchanged $switch
roomy /nix/var/nix/profiles

step "room for the generation's link, but not for the profile's any more: rolled back"
crowded /nix/var/nix/profiles 40
hold web
begin switch web enact switch --store-path "$script"
eventually 30 held web
narrowed /nix/var/nix/profiles 1
let_go web
ends switch 3
says "No space left on device" "Rolled back: '$first' runs again"
is "$(running_of web)" "$first"
is "$(profile_of web)" "$first"
is "$(generations_of web)" 1
nothing_left
roomy /nix/var/nix/profiles

step "read-only profiles"
crowded /nix/var/nix/profiles 40
on web mount -o remount,ro /nix/var/nix/profiles
snapshot web
why="Read-only file system"
refused_unchanged $switch
refused_unchanged enact boot --store-path "$system"
roomy /nix/var/nix/profiles

step "no room for the state, from its directory on to its first record"
on web rm -rf /var/lib/enact
for free in 0 1 2 15; do
    why="No space left on device"
    [ "$free" -lt 2 ] || why="There is no room for a switch in '/var/lib/enact': "
    crowded /var/lib/enact "$free"
    snapshot web
    refused_unchanged $switch
    roomy /var/lib/enact
done
step "read-only state"
crowded /var/lib/enact 40
on web mount -o remount,ro /var/lib/enact
snapshot web
why="Read-only file system"
refused_unchanged $switch
roomy /var/lib/enact

step "the room ends between two records: nothing live was touched"
crowded /var/lib/enact 40
snapshot web
hold web
begin switch web enact switch --store-path "$check"
eventually 30 held web
narrowed /var/lib/enact 40 1
let_go web
ends switch 1
says "No space left on device" "The running system was not touched."
unchanged web
roomy /var/lib/enact

step "no room for the roots"
crowded /nix/var/nix/gcroots/enact 0
snapshot web
why="There is no room for a switch in '/nix/var/nix/gcroots/enact': "
refused_unchanged $switch
roomy /nix/var/nix/gcroots/enact

step "no room for the request"
why="No space left on device"
crowded /run/enact 0
snapshot web
refused_unchanged $switch
roomy /run/enact

step "what needs no profile is not kept from working; with room again the switch works as well"
crowded /nix/var/nix/profiles 0
on web enact test --store-path "$system"
nothing_left
roomy /nix/var/nix/profiles
on web $switch
is "$(profile_of web)" "$system"
active web greeter.service
nothing_left
