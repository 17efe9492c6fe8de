# Whatever call a delete is killed at: as long as the boot menu names a generation's system, something
# roots it; no temporary file is left that counts; and the next delete makes up for it.

needs enact
host web

profiles=/nix/var/nix/profiles
roots=/nix/var/nix/gcroots/enact
entry=/boot/loader/entries/nixos-generation-100.conf

for name in one two; do
    configuration web "$name" << NIX
{
  boot.loader.systemd-boot.enable = true;
  environment.etc.motto.text = "$name";
}
NIX
done
on web enact switch --flake /root/one
two=$(built web two)

# A generation that another tool made, and that is in the menu.
generation() {
    on web ln -sfn "$two" $profiles/system-100-link
    on web /run/current-system/bin/switch-to-configuration boot
    exists web $entry
}

is_there() {
    [ "$(ask web sh -c "if [ -L $1 ] || [ -e $1 ]; then echo yes; fi")" = yes ]
}

killed=0
for point in symlinkat:1 renameat:1 fsync:{1..6} unlinkat:{1..3} mkdirat:1 flock:{1..3}; do
    step "killed at $point"
    generation
    trace web -e "inject=${point%:*}:signal=KILL:when=${point#*:}"
    attempt web enact generations delete 100
    [ "$code" -ne 0 ] && killed=$((killed + 1))
    untrace web
    if is_there $entry && ! is_there $profiles/system-100-link; then
        is "$(ask web readlink "$roots/menu/${two##*/}")" "$two"
    fi
    on web enact generations
    attempt web enact generations delete 100
    if [ "$code" -ne 0 ]; then
        says "no generation 100"
        on web ln -sfn "$two" $profiles/system-101-link
        on web enact generations delete 101
    fi
    missing web $entry
    is "$(ask web sh -c "ls -A $roots/menu")" ""
    missing web $profiles/system.lock
done
step "$killed points ended it"
[ "$killed" -ge 8 ] || fail "only $killed of the points were met"
