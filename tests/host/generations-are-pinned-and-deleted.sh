# A pin keeps a system through every garbage collection; what is in use, pinned or the way back is not
# deleted, and the reason is told; boot entries go with their generations, and before their kernels.

needs enact
host web

system() { # NAME: a configuration with a boot menu
    configuration web "$1" << NIX
{
  boot.loader.systemd-boot.enable = true;
  environment.etc.motto.text = "$1";
}
NIX
}

entries() { # numbers that the boot menu has
    ask web sh -c 'ls /boot/loader/entries' | sed -n 's/^nixos-generation-\(.*\)\.conf$/\1/p' | sort -n | xargs
}

# state_of_generation NUMBER: what the list says that it is
state_of_generation() {
    ask web enact generations --json |
        jq -r --argjson n "$1" '.generations[] | select(.generation == $n) |
            [to_entries[] | select(.value == true and .key != "there") | .key] | join(" ")'
}

# whole SYSTEM: nothing of its closure is missing
whole() {
    # shellcheck disable=SC2046  # a list
    on web nix-store --verify-path $(ask web nix-store --query --requisites "$1")
}

step "five generations: the booted one, three more, and the one that runs"
for name in one two three four; do
    system "$name"
    on web enact switch --flake "/root/$name"
done
one=$(ask web readlink /nix/var/nix/profiles/system-2-link)
two=$(ask web readlink /nix/var/nix/profiles/system-3-link)
is "$(generations_of web | xargs)" "1 2 3 4 5"
is "$(entries)" "1 2 3 4 5"
is "$(state_of_generation 1)" "booted"
is "$(state_of_generation 3)" ""
is "$(state_of_generation 4)" "rollback"
is "$(state_of_generation 5)" "current default running good"

step "what is in use is not deleted"
snapshot web
refused web 1 enact generations delete 5
says "generation 5 is current, is the boot default, runs, is the last one that was found good" "Nothing was deleted"
refused web 1 enact generations delete 4
says "generation 4 is where a rollback leads"
refused web 1 enact generations delete 1
says "generation 1 was booted"
refused web 1 enact generations delete 3 1 4
says "generation 1 was booted; generation 4 is where"
refused web 1 enact generations delete 7
says "no generation 7"
refused web 1 enact generations delete 7-9
refused web 2 enact generations delete x
refused web 2 enact generations delete
refused bob@web 1 enact generations delete 3
unchanged web

step "a pinned one neither, by whoever it was pinned"
on alice@web enact generations pin 2
says "pinned: generation 2 of 'system'" "$one"
on web enact generations pin 2
says "Nothing to do"
is "$(state_of_generation 2)" "pinned"
refused web 1 enact generations delete 2-3
says "generation 2 is pinned"
is "$(generations_of web | xargs)" "1 2 3 4 5"
on web nix-store --query --roots "$one"
says "/nix/var/nix/gcroots/enact/pins/"

step "one that is nothing to anybody: its boot entry goes, the default stays"
default=$(ask web grep ^default /boot/loader/loader.conf)
on web enact generations delete 3
says "deleted: generation 3 of 'system'" "$two"
is "$(generations_of web | xargs)" "1 2 4 5"
is "$(entries)" "1 2 4 5"
is "$(ask web grep ^default /boot/loader/loader.conf)" "$default"
is "$(ask web sh -c 'ls -A /nix/var/nix/gcroots/enact/menu')" ""
on web journalctl -o json -t enact-activate ENACT_EVENT_NAME=deleted
is "$(said | jq -r '[.ENACT_PROFILE, .GENERATION, .ENACT_TOPLEVEL, .MESSAGE_ID] | join(" ")')" \
    "system 3 $two db83748476ba4683b5d936b73cb194c0"

step "after a rollback the current generation is not the highest; what was rolled back from may go"
on web enact rollback
is "$(state_of_generation 4)" "current default running good"
four=$(ask web readlink /nix/var/nix/profiles/system-5-link)
on web enact generations
says "rollback" "$two" # without a generation, but it is the way back

step "an installer that fails: the menu still has the entry, so the system stays in the store"
on web mount --bind /boot /boot
on web mount -o remount,ro,bind /boot
refused web 1 enact generations delete 5
says "Deleted 1, but the boot menu may still list" "Read-only"
is "$(generations_of web | xargs)" "1 2 4"
is "$(entries)" "1 2 4 5"
on web nix-store --gc
whole "$four"
on web umount /boot

step "the next installer that succeeds lets it go; its number is given again"
system five
on web enact switch --flake /root/five
is "$(entries)" "1 2 4 5"
is "$(ask web sh -c 'ls -A /nix/var/nix/gcroots/enact/menu')" ""
is_not "$(ask web readlink /nix/var/nix/profiles/system-5-link)" "$four"

step "whoever has seen another system under that number is refused"
snapshot web
write web /root/request << END
{"version":1,"verb":"delete","profile":"system","generations":[{"generation":5,"toplevel":"$four"}]}
END
on web sh -c '/usr/libexec/enact/enact-activate serve < /root/request'
says "given again" '"exit":1'
unchanged web

step "a collection of all old generations leaves the pinned system whole; its link is another program's to delete"
on web nix-collect-garbage --delete-old
is "$(generations_of web)" 5
whole "$one"
on web enact generations
says "pinned" "$one"
on web enact generations pin "$one"
says "Nothing to do"

step "a way back that was collected: said, and nothing is changed"
snapshot web
refused web 1 enact rollback
says "is not in the store any more" "enact generations" "Nothing was changed"
unchanged web

step "unpinned it is collected"
on web enact generations unpin "$one"
says "unpinned: $one"
on web enact generations unpin "$one"
on web nix-store --gc
missing web "$one"
on web enact generations
says_not "$one"
