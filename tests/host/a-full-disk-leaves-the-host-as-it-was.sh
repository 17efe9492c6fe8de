# No room for the profile's link, the state or the roots, or all of them read-only: the switch ends
# with 1 before anything is touched, or is rolled back where the room ends later; no half-made file
# stays. When there is room again the same switch works.

needs enact
host web

# crowded DIR FREE [PAGES]: DIR is a file system with room for FREE more files, and PAGES of content
crowded() {
    on web sh -ec '
        mkdir -p "$1" /root/copy
        cp -a "$1/." /root/copy/
        mount -t tmpfs -o mode=0755 tmpfs "$1"
        cp -a /root/copy/. "$1/"
        rm -r /root/copy
        used=$(stat -f -c "%c %d" "$1")
        mount -o "remount,nr_inodes=$((${used% *} - ${used#* } + $2))${3:+,size=$((4096 * $3))}" "$1"' - "$@"
    eventually 5 active web "$(ask web systemd-escape --path --suffix=mount "$1")"
}

roomy() {
    on web umount "$1"
    eventually 5 inactive web "$(ask web systemd-escape --path --suffix=mount "$1")"
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
why="No space left on device"

step "the profiles: no room for the lock, then none for the generation's link"
for free in 0 1; do
    crowded /nix/var/nix/profiles "$free"
    snapshot web
    refused_unchanged $switch
    says_not "system.lock"
    refused_unchanged enact boot --store-path "$system"
    roomy /nix/var/nix/profiles
done

step "room for the generation's link, but not for the profile's: rolled back"
crowded /nix/var/nix/profiles 2
refused web 3 $switch
says "No space left on device" "Rolled back: '$first' runs again"
is "$(running_of web)" "$first"
is "$(profile_of web)" "$first"
is "$(generations_of web)" 1
inactive web greeter.service
nothing_left
refused web 1 enact boot --store-path "$system"
says "No space left on device"
is "$(profile_of web)" "$first"
is "$(generations_of web)" 1
nothing_left
roomy /nix/var/nix/profiles

step "read-only profiles"
crowded /nix/var/nix/profiles 10
on web mount -o remount,ro /nix/var/nix/profiles
snapshot web
why="Read-only file system"
refused_unchanged $switch
refused_unchanged enact boot --store-path "$system"
roomy /nix/var/nix/profiles

step "no room for the state, from its directory on to its first record"
on web rm -rf /var/lib/enact
why="No space left on device"
for free in 0 1 2; do
    crowded /var/lib/enact "$free"
    snapshot web
    refused_unchanged $switch
    roomy /var/lib/enact
done
step "read-only state"
crowded /var/lib/enact 10
on web mount -o remount,ro /var/lib/enact
snapshot web
why="Read-only file system"
refused_unchanged $switch
roomy /var/lib/enact

step "the room ends between two records: nothing live was touched"
crowded /var/lib/enact 10 1
snapshot web
refused web 1 $switch
says "No space left on device" "The running system was not touched."
unchanged web
roomy /var/lib/enact

step "no room for the roots"
crowded /nix/var/nix/gcroots/enact 0
snapshot web
why="No space left on device"
refused_unchanged $switch
roomy /nix/var/nix/gcroots/enact

step "no room for the request"
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
