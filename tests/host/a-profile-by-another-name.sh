# --profile-name keeps generations apart, where nixos-rebuild and the boot loaders' installers look for
# them: system-profiles/NAME. The profile 'system' is left alone, and a rollback makes no profile.

needs enact
host web

configuration web flake << 'NIX'
{ environment.etc.motto.text = "trial"; }
NIX
system=$(built web flake)
first=$(running_of web)
on web enact switch --profile-name trial --flake /root/flake
says "generation 1 of 'trial'"
is "$(running_of web)" "$system"
is "$(profile_of web)" "$first"
is "$(generations_of web)" 1
is "$(ask web sh -c 'readlink -e /nix/var/nix/profiles/system-profiles/trial')" "$system"
is "$(ask web readlink /nix/var/nix/profiles/system-profiles/trial)" trial-1-link
missing web /nix/var/nix/profiles/trial
on web enact generations --profile-name trial
says "$system"

# Going back makes no profile
snapshot web
for word in "" 1; do
    # shellcheck disable=SC2086
    refused web 1 enact rollback $word --profile-name nowhere
    says "There is no profile 'nowhere'" "Nothing was changed"
done
unchanged web
missing web /nix/var/nix/profiles/system-profiles/nowhere

for name in ../system system/trial "" -x trial-1-link; do
    attempt web enact switch "--profile-name=$name" --flake /root/flake
    [ "$code" -ne 0 ] || fail "'$name' was taken for a profile's name"
    says_not "done:"
done
