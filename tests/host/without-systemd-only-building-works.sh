# In a chroot or a container without systemd there is no running system to change: enact says so at
# once, with 1, and still builds.

needs enact
host web

configuration web flake << 'NIX'
{ environment.etc.motto.text = "new"; }
NIX
system=$(built web flake)
snapshot web

# within COMMAND...: to be run where /run, and so systemd, is not to be seen
within=(unshare --mount sh -ec 'mount -t tmpfs tmpfs /run; exec "$@"' -)

step "what changes the running system is refused before a build"
for words in "switch --flake /root/flake" "boot --flake /root/flake" "test --flake /root/flake" \
    "dry-activate --flake /root/flake" "plan --flake /root/flake" "switch --store-path $system" "rollback" "rollback 1"; do
    # shellcheck disable=SC2086  # words
    refused web 1 "${within[@]}" enact $words
    says "No systemd runs here" "Nothing was changed"
    says_not "evaluating"
done
on web "${within[@]}" sh -c 'echo "{}" | /usr/libexec/enact/enact-activate serve'
says "org.enact.Error.NoSystemd"

step "a build works, and what can be known without systemd is told"
on web "${within[@]}" enact build --flake /root/flake
is "$(said)" "$system"
is "$(ask web readlink /root/result)" "$system"
on web "${within[@]}" enact generations
says "$(profile_of web)"
on web "${within[@]}" enact status
says "boot default   $(profile_of web)"
unchanged web

step "the same in a chroot"
on web sh -ec 'mkdir /root/chroot; mount --bind / /root/chroot; mount --bind /nix /root/chroot/nix'
refused web 1 chroot /root/chroot enact switch --flake /root/flake
says "No systemd runs here"
on web chroot /root/chroot enact build --flake /root/flake
says "$system"
on web umount -R /root/chroot
unchanged web
