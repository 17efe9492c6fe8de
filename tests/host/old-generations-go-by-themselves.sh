# retention.generations: a switch that went well deletes the oldest generations beyond that number and nothing
# that is something to the host; one that fails deletes nothing; a kill in the middle costs nothing.

needs enact
host web

profiles=/nix/var/nix/profiles
roots=/nix/var/nix/gcroots/enact

system() { # NAME [MORE]: a configuration with a boot menu that wants two generations kept
    configuration web "$1" << NIX
{
  boot.loader.systemd-boot.enable = true;
  environment.etc.motto.text = "$1";
  programs.enact = { enable = true; retention.generations = 2; };
  ${2-}
}
NIX
}

entries() { # numbers that the boot menu has
    ask web sh -c 'ls /boot/loader/entries' | sed -n 's/^nixos-generation-\(.*\)\.conf$/\1/p' | sort -n | xargs
}

generations() {
    generations_of web | xargs
}

step "what is kept in any case: the booted one, the pinned one, the way back and the one that runs"
system one
on web enact switch --flake /root/one#web
on web enact generations pin 2
system two
on web enact switch --flake /root/two#web
two=$(running_of web)
is "$(generations)" "1 2 3"
system three
on web enact switch --flake /root/three#web
says_not "deleted:"
is "$(generations)" "1 2 3 4"
system four
on web enact switch --flake /root/four#web
says "deleted: generation 3 of 'system', '$two'" "is generation 5"
is "$(generations)" "1 2 4 5"

step "the menu is not written again for that: what it still names is rooted until the next time"
is "$(entries)" "1 2 3 4 5"
is "$(ask web sh -c "ls $roots/menu")" "${two##*/}"
on web nix-collect-garbage
exists web "$two/init"

step "a switch that is rolled back deletes nothing, nor does one that has nothing to do or is only tested"
on web ln -sfn "$two" $profiles/system-3-link
system five 'systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig = { Type = "oneshot"; ExecStart = "/bin/false"; }; };'
refused web 3 enact switch --flake /root/five#web
says_not "deleted:"
is "$(generations)" "1 2 3 4 5"
on web enact switch --flake /root/four#web
says "Nothing to do" && says_not "deleted:"
system six
on web enact test --flake /root/six#web
says_not "deleted:"
is "$(generations)" "1 2 3 4 5"
on web enact switch --flake /root/four#web
says "deleted: generation 3"
is "$(generations)" "1 2 4 5"

step "an older one that is current after a rollback stays; the menu has caught up"
on web enact rollback 4
says_not "deleted:"
is "$(ask web readlink $profiles/system)" system-4-link
is "$(generations)" "1 2 4 5"
on web enact boot --flake /root/six#web
is "$(generations)" "1 2 4 5 6"
is "$(entries)" "1 2 4 5 6"
is "$(ask web sh -c "ls $roots/menu")" ""

# again NAME OPTIONS...: two more generations of a system that nobody needs, and a switch with a fault while they
# are deleted
again() {
    local name=$1
    shift

    on web ln -sfn "$two" $profiles/system-100-link
    on web ln -sfn "$two" $profiles/system-101-link
    system "$name"
    trace web "$@"
    attempt web enact switch --flake "/root/$name#web"
    untrace web
}

step "what cannot be deleted is told, and fails nothing"
again seven -P system-100-link -e inject=unlinkat:error=EIO
is "$code" 0
says "old generations are left to the next switch: Cannot delete generation 100" "Input/output error" "'$(running_of web)' runs"
is "$(profile_of web)" "$(running_of web)"

engines_killed() { # NUMBER
    [ "$(ask web sh -c "journalctl -o cat -u 'enact-2*' | grep -c 'code=killed, status=9/KILL' || true")" = "$1" ]
}

step "killed at any of it: it went well before that, nothing that the menu names is lost, the next one goes on"
killed=0
for fault in "eight $roots/menu renameat" "nine system-100-link unlinkat" "ten system-101-link unlinkat"; do
    read -r name path call <<< "$fault"
    again "$name" -P "$path" -e "inject=$call:signal=KILL"
    is "$code" 0
    killed=$((killed + 1))
    eventually 30 engines_killed $killed
    is "$(profile_of web)" "$(running_of web)"
    missing web /var/lib/enact/transaction.json
    for number in 100 101; do
        [ "$(ask web sh -c "if test -L $profiles/system-$number-link; then echo yes; fi")" = yes ] ||
            is "$(ask web readlink "$roots/menu/${two##*/}")" "$two"
    done
done

step "the last one made up for all of that"
system eleven
on web enact switch --flake /root/eleven#web
missing web $profiles/system-100-link
missing web $profiles/system-101-link
