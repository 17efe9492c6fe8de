# A power cut finds the old profile or the new one, and all files of what it names. strace shows it:
# the store is synced before the first link to the new system is made, each link is made beside its
# place, and the directory is synced between that and the rename, and after the rename.

needs enact
host web

# what_happened: the traced calls on profiles and the candidate's root, as words: one line each
what_happened() {
    trace_of web | sed -nE '
        / = -1 /d
        s|^[0-9]+ +syncfs\([0-9]+</nix/store>\).*|synced store|p
        s|^[0-9]+ +symlinkat\("([^"]*)", [0-9]+</nix/var/nix/(profiles\|gcroots/enact)>, "([^"]*)"\).*|made \2 \3 \1|p
        s|^[0-9]+ +fsync\([0-9]+</nix/var/nix/(profiles\|gcroots/enact)>\).*|synced \1|p
        s|^[0-9]+ +renameat2?\([0-9]+</nix/var/nix/(profiles\|gcroots/enact)>, "([^"]*)", [0-9]+<[^>]*>, "([^"]*)".*|renamed \1 \2 \3|p
        s|^[0-9]+ +unlinkat\([0-9]+</nix/var/nix/(profiles)>, "([^"]*-link)".*|removed \1 \2|p
        s|^[0-9]+ +\+\+\+ exited with.*|exit|p'
}

# durable NAME...: the links that were made, in this order, each durably; "-NAME" was removed
durable() {
    local verdict

    verdict=$(what_happened | awk -v wanted="$*" '
        function bad(why) { if (!broken++) print "after: " before "; now: " $0 ": " why }
        { if (pending != "" && $0 != "exit" && $0 != "synced " pending) bad("no sync of " pending " after the last change") }
        $1 == "synced" && $2 == "store" { store = candidate }
        $1 == "synced" { for (link in made) if (index(link, $2 " ") == 1) ready[link] = 1; if (pending == $2) pending = "" }
        $1 == "made" { made[$2 " " $3] = $4 }
        $1 == "renamed" {
            target = made[$2 " " $3]
            if (target == "") bad("not made beside its place")
            if (!ready[$2 " " $3]) bad("no sync of " $2 " before the rename")
            if ($2 == "profiles") {
                if (target ~ /^\/nix\/store\// && !store) bad("the store was not synced, with the candidate rooted")
                done = done (done == "" ? "" : " ") $4
            } else if ($4 == "candidate") candidate = 1
            pending = $2
        }
        $1 == "removed" { done = done (done == "" ? "" : " ") "-" $3; pending = $2 }
        { before = $0 }
        END {
            if (pending != "") bad("no sync of " pending " after the last change")
            if (done != wanted) bad("changed: " done ", wanted: " wanted)
            exit broken != 0
        }') || fail "the profile is not changed durably" "$verdict" "" "$(what_happened)"
}

calls=(-y -e "trace=syncfs,fsync,rename,renameat,renameat2,symlink,symlinkat,unlink,unlinkat")

step "a switch"
configuration web flake << 'NIX'
{ environment.etc.number.text = "1"; }
NIX
trace web "${calls[@]}"
on web enact switch --flake /root/flake
durable system-2-link system

step "a switch to what is running: nothing is written"
trace web "${calls[@]}"
on web enact switch --flake /root/flake
durable

step "a switch that is rolled back takes its link away as durably"
configuration web broken << 'NIX'
{ system.activationScripts.broken = "false"; }
NIX
trace web "${calls[@]}"
refused web 3 enact switch --flake /root/broken
durable system-3-link -system-3-link

step "a new boot default"
configuration web flake << 'NIX'
{ environment.etc.number.text = "2"; }
NIX
trace web "${calls[@]}"
on web enact boot --flake /root/flake
durable system-3-link system

step "a rollback needs no new link"
trace web "${calls[@]}"
on web enact rollback 1
durable system

step "a test leaves the profile alone"
trace web "${calls[@]}"
on web enact test --flake /root/flake
durable
