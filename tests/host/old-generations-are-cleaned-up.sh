# `enact clean` deletes old generations and what only they held: what will go is shown first, nothing that is
# something to the host goes, and `list-generations` is as nixos-rebuild prints it.
# It may take 240 s.

needs enact
host web

for name in a b c d; do
    configuration web $name << NIX
{ environment.etc.motto.text = "$name"; specialisation.red.configuration.environment.etc.colour.text = "red"; }
NIX
    on web enact switch --flake /root/$name#web
done
is "$(generations_of web | xargs)" "1 2 3 4 5"

step "listed as nixos-rebuild does"
on web enact list-generations
is "$(said | head -n 1 | tr -s ' ')" "Generation Build-date NixOS version Kernel Configuration Revision Specialisation Current"
is "$(said | sed -n 2p | awk '{ print $1, $NF, $(NF-1) }')" "5 True red"
is "$(said | tail -n 1 | awk '{ print $1, $NF }')" "1 False"
on web enact list-generations --json
is "$(said | jq -c 'map(.generation)')" "[5,4,3,2,1]"
is "$(said | jq -c '.[0] | keys')" '["configurationRevision","current","date","generation","kernelVersion","nixosVersion","specialisations"]'
is "$(said | jq -c '.[0] | [.current, .specialisations]')" '[true,["red"]]'

step "a preview, and no more"
snapshot web
on web enact clean --keep 2 --dry-run
says_on_stdout "goes        2" "goes        3"
says_on_stdout "stays       1" "it was booted"
on web enact clean -n --keep 1 --json
is "$(said | jq -c '[.going[].generation]')" "[2,3]"
is "$(said | jq -c '[.staying[].generation]')" "[1,4]"
on web enact clean --older-than 1d -n
says_not "goes"
refused web 2 enact clean
says_on_stderr "--keep N"
refused web 2 enact clean --older-than soon
unchanged web

step "who is asked and says no changes nothing"
on web sh -c 'printf "n\n" | script -qec "enact clean --keep 2" /dev/null'
says "Delete them? [y/N]" "declined"
unchanged web

step "the specialisation of an old generation runs: that one stays"
on web enact test --store-path "$(ask web readlink -f /nix/var/nix/profiles/system-3-link/specialisation/red)"
on web enact clean -n --keep 1
says_on_stdout "stays       3" "it runs"
says_not "goes        3"
on web enact switch --flake /root/d#web -S

step "done: they are gone, with what only they held"
old=$(ask web readlink -f /nix/var/nix/profiles/system-2-link)
on web enact clean --keep 2
says "deleted" "collecting garbage"
is "$(generations_of web | xargs)" "1 3 4 5" "generations"
missing web "$old"
exists web "$(running_of web)"
at_its_end web
on web enact clean --keep 2 --no-gc --yes
says_on_stderr "nothing to clean up"

step "a plain user may look"
on bob@web enact clean --keep 1 -n
says_on_stdout "stays"
