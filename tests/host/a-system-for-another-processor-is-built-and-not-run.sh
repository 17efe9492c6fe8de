# examples/cross: a system for another architecture can be built here, and is refused by all that would run it,
# with the reason.

needs enact
host web

on web mkdir -p /root/cross
for file in flake.nix hardware.nix; do
    write web /root/cross/$file < "$checkout/examples/cross/$file"
done
lock_offline web /root/cross
snapshot web

on web enact build --no-link --flake /root/cross#board
board=$(said)
is "$(contents web "$board/system")" aarch64-linux

for verb in switch boot test dry-activate; do
    refused web 1 enact "$verb" --flake /root/cross#board
    says_on_stderr "is made for aarch64-linux, and this machine is x86_64-linux" "Nothing was changed"
    refused web 1 enact "$verb" --force-host --store-path "$board"
    says_on_stderr "is made for aarch64-linux"
done
unchanged web
