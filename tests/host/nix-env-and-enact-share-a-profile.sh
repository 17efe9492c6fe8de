# A profile that nix-env, hands and enact all work on: generations that another tool made, set back,
# deleted or left dangling are taken as they are, by Nix' own rules.

needs enact
host web

profile=/nix/var/nix/profiles/system

system() { # NAME
    configuration web "$1" << NIX
{ environment.etc.motto.text = "$1"; }
NIX
}

current() {
    ask web readlink $profile
}

marks_of() { # NUMBER
    ask web enact generations --json |
        jq -r --argjson n "$1" '.generations[] | select(.generation == $n) |
            [to_entries[] | select(.value == true and .key != "there") | .key] | join(" ")'
}


step "the first switch ever: there is no profile at all"
system one
on web sh -c "rm $profile $profile-*-link"
on web enact generations
says_on_stderr "no generation"
on web enact switch --flake /root/one
one=$(running_of web)
is "$(current)" system-1-link
is "$(generations_of web)" 1

step "another tool makes the next generation: it is current, and the one before is the way back"
system two
two=$(built web two)
on web nix-env --profile $profile --set "$two"
is "$(current)" system-2-link
is "$(marks_of 2)" "current default"
is "$(marks_of 1)" "running good"
on web "$two/activate"
is "$(marks_of 2)" "current default running"
is "$(marks_of 1)" "good rollback"
refused web 1 enact generations delete 1
says "where a rollback leads"
on web enact rollback
is "$(running_of web)" "$one"
is "$(current)" system-1-link
is "$(generations_of web | xargs)" "1 2"

step "enact makes the next number after the highest, not after the current one; nix-env sees it"
system three
on web enact switch --flake /root/three
three=$(running_of web)
is "$(current)" system-3-link
on web nix-env --profile $profile --list-generations
says "3" "(current)"
on web nix-env --profile $profile --rollback
is "$(current)" system-2-link
is "$(marks_of 3)" "running good"
is "$(marks_of 2)" "current default"
refused web 1 enact generations delete 3
refused web 1 enact generations delete 2
on web nix-env --profile $profile --switch-generation 3
is "$(marks_of 3)" "current default running good"

step "the way back is deleted by another tool, but not collected: it is given a new generation"
on web nix-env --profile $profile --delete-generations 1
on web enact rollback
is "$(running_of web)" "$one"
is "$(current)" system-4-link
is "$(generations_of web | xargs)" "2 3 4"

step "an absolute link made by hand, to a generation's link and to the store"
on web ln -sfn $profile-3-link $profile
is "$(marks_of 3)" "current default"
refused web 1 enact generations delete 3
says "is current"
on web ln -sfn "$three" $profile
is "$(marks_of 3)" "default"
refused web 1 enact generations delete 3
says "is current"
on web nix-env --profile $profile --switch-generation 4
is "$(marks_of 4)" "current default running good"

step "a generation whose system is gone can be deleted, and nothing else"
on web ln -s /nix/store/00000000000000000000000000000000-gone $profile-9-link
on web enact generations
says "gone" "00000000000000000000000000000000-gone"
refused web 1 enact generations pin 9
says "not in the store any more"
on web enact generations delete 9
missing web $profile-9-link

step "one made by another tool that is nothing to anybody"
on web enact generations delete 2
says "deleted: generation 2 of 'system'" "$two"
is "$(generations_of web | xargs)" "3 4"

step "a lock file of Nix' that was left behind, also one that is marked as gone"
on web touch $profile.lock
on web enact generations pin 3
write web $profile.lock <<< d
on web enact generations unpin 3
missing web $profile.lock

step "a program that holds Nix' lock: busy, and it is still so after ten seconds"
begin holder web flock $profile.lock sleep 1000
eventually 30 on web sh -c "! flock --nonblock $profile.lock true"
refused web 6 enact generations pin 3
says "Another program is changing the profile" "Nothing was changed"
signal holder KILL

step "another profile has numbers of its own, and protects its own current one"
system four
on web enact switch --profile-name trial --flake /root/four
refused web 1 enact generations delete 1 --profile-name trial
says "generation 1 is current, is the boot default, runs"
is "$(marks_of 4)" "current rollback"
on web nix-env --profile $profile --set "$three"
is "$(marks_of 5)" "current default"
