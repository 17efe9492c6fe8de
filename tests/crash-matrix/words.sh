# shellcheck shell=bash disable=SC2154  # lib.sh sets what is not set here
# The words of the crash matrix, for scenarios of tests/host and for tests/crash-matrix/run: a host with two
# systems, "a" and "b"; a switch between them in which one process meets its fate at one call; and the checks of
# what that leaves. A point is one line, with tabs between:
#
#     STORY ROLE CALL N FAULT FROM KIND PHASE WHAT
#
# STORY  switch: to the other system; bad: from a to one that fails its judge, and back by itself; recover-CALL-N,
#        boot-CALL-N: at that call the engine is killed, or the power goes, and ROLE is the recovery from it
# ROLE   run, serve, dead-man, recover: the engine by its verb; enact: the program that a user types
# FAULT  kill-before, kill-after: at the entry and after the return of the call; power: after its return the host's
#        power goes; an errno: the call does nothing and returns that
#
# strace does it all, nothing in the product knows of it. SIGSTOP, injected at a call, stops the process when the
# call has returned, before it runs on; together with an injected error the call itself is left out, which is how
# "before" is done. `watch` then kills the stopped process, or has the power cut: both are exactly at that place.

matrix=$checkout/tests/crash-matrix
# shellcheck source=tests/crash-matrix/points.sh
. "$matrix/points.sh"
inside=/usr/local/libexec/matrix
wishes=/var/tmp/matrix # what the stand-in for the engine is to do
traced_calls=openat,open,creat,write,pwrite64,writev,fsync,fdatasync,syncfs,rename,renameat,renameat2,link,linkat
traced_calls+=,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat,chown
traced_calls+=,fchown,fchownat,lchown,utimensat,truncate,ftruncate,fallocate,mount,umount2,flock,sendmsg,sendto
traced_calls+=,execve,clone,clone3,vfork,fork,pidfd_send_signal,kill,setxattr,fsetxattr

# matrix_host NAME: a host that runs a, with b and bad built
matrix_host() {
    local name=$1 root letter

    host "$name"
    books=$place/matrix/$name
    mkdir -p "$books"
    root=$(host_dir "$name")/root
    mkdir -p "$root$inside" "$root${traced%/*}" "$root$wishes"
    cp "$matrix"/inside/* "$root$inside/"
    mv "$root$engine" "$root$traced"
    cp "$matrix/inside/engine" "$root$engine"
    only_fstab_generator "$root"

    for letter in a b bad; do
        sed "s/@letter@/$letter/" "$matrix/matrix.nix" | configuration "$name" "$letter"
        built "$name" "$letter" > "$books/$letter.path" 2> /dev/null
    done
    # broken-before fails in a for the first time.
    refused "$name" 4 enact switch --no-rollback --store-path "$(path_to a)"
    at=a
    matrix_learn "$name"
    matrix_keep "$name"
}

# only_fstab_generator ROOT: the other generators of units have nothing to do in a container, and each reload of
# systemd would run them, which costs more than the rest of a switch
only_fstab_generator() {
    local generator

    mkdir -p "$1/etc/systemd/system-generators"
    for generator in "$1"/usr/lib/systemd/system-generators/*; do
        [ "${generator##*/}" = systemd-fstab-generator ] ||
            ln -s /dev/null "$1/etc/systemd/system-generators/${generator##*/}"
    done
}

path_to() {
    cat "$books/$1.path"
}

other() {
    [ "$1" = a ] && echo b || echo a
}

# matrix_learn NAME: what the host is in each of its two systems, whichever way it came there
matrix_learn() {
    local name=$1 letter

    for letter in b a; do
        on "$name" enact switch --store-path "$(path_to "$letter")"
        at=$letter
        (enter "$name" "$inside/facts") > "$books/$letter.facts"
        is "$(ask "$name" "$inside/left")" "" "what a switch without any fault left"
    done
    ! diff -q "$books/a.facts" "$books/b.facts" > /dev/null || fail "the two systems look the same"
}

# matrix_keep NAME: keep a copy of the host as it is now, which matrix_afresh goes back to
matrix_keep() {
    local dir
    dir=$(host_dir "$1")

    power_cut "$1"
    umount "$dir/root"
    cp -a "$dir/upper" "$dir/kept"
    host_root "$1"
    boot "$1" degraded
    (enter "$1" "$inside/facts") > "$books/booted.facts"
    diff -u "$books/a.facts" "$books/booted.facts" > "$books/diff" ||
        fail "a host that was booted looks another than one that was switched" "$(cat "$books/diff")"
}

# matrix_afresh NAME: throw away all that was written since then
matrix_afresh() {
    local dir
    dir=$(host_dir "$1")

    power_cut "$1"
    umount "$dir/root"
    rm -rf "$dir/upper" "$dir/work"
    cp -a "$dir/kept" "$dir/upper"
    mkdir "$dir/work"
    host_root "$1"
    boot "$1" degraded
    at=a
}

# --- which points there are -----------------------------------------------------------------------

# wish NAME ROLE OPTIONS: the next process of that role runs under strace with them
wish() {
    write "$1" "$wishes/$2" <<< "$3"
}

# switch_command STORY [OPTIONS]: the command of a story, a word a line; with options of strace it is enact that is
# traced. By the flake then, for all that enact does with Nix is part of it.
switch_command() {
    local to

    to=$(other "$at")
    [ "$1" != bad ] || to=bad
    if [ -n "${2:-}" ]; then
        printf '%s\n' sh -c "exec strace -D -qq -y -s 600 $2 enact switch --flake /root/$to#\$(hostname)"
    else
        printf '%s\n' enact switch --store-path "$(path_to "$to")"
    fi
}

# record NAME STORY ROLE...: go through a story without a fault, and print the points of each role
record() {
    local name=$1 story=$2 role command

    for role in "${@:3}"; do
        [ "$role" = enact ] || wish "$name" "$role" "-o $wishes/$role.trace -e trace=$traced_calls"
    done
    case " ${*:3} " in
    *' enact '*) mapfile -t command < <(switch_command "$story" "-o $wishes/enact.trace -e trace=$traced_calls") ;;
    *) mapfile -t command < <(switch_command "$story") ;;
    esac
    if [[ $story == boot-* ]]; then
        with_power_cut "$name" "${command[@]}"
    else
        attempt "$name" "${command[@]}" >&2
    fi
    ask "$name" "$inside/quiet" >&2
    for role in "${@:3}"; do
        (enter "$name" cat "$wishes/$role.trace") 2> /dev/null | "$matrix/points" |
            awk -v OFS='\t' -v FS='\t' -v story="$story" -v role="$role" -v from="$at" \
                '{ print story, role, $1, $2, "-", from, $3, $4, $5 }'
    done
    (enter "$name" "$inside/facts") > "$books/facts" || true
    ! diff -q "$books/$(other "$at").facts" "$books/facts" > /dev/null || at=$(other "$at")
    diff "$books/$at.facts" "$books/facts" >&2 || fail "'$story' without a further fault leads to neither system"
    (enter "$name" rm -rf "$wishes") && (enter "$name" mkdir "$wishes")
}

# end_first NAME STORY: what happens to the engine before the story of its recovery
end_first() {
    local first=${2#*-} fault=kill-after

    [[ $2 != boot-* ]] || fault=power
    wish "$1" run "$(options_of "${first%-*}" "${first##*-}" "$fault" run)"
}

# matrix_points NAME: record each story, and print all points that there are
matrix_points() {
    local name=$1 first

    {
        record "$name" switch run serve enact
        record "$name" switch run serve enact
        record "$name" bad run | awk -F'\t' '$8 == "rollback"'
    } > "$books/calls"
    if ! (enter "$name" "$engine" recover --help) > /dev/null 2>&1; then faults < "$books/calls"; return; fi
    for first in $(awk -F'\t' '
            $1 == "switch" && $2 == "run" && $6 == "a" && $7 != "process" && $8 ~ /^(activate|commit)$/ {
                at[$8, n[$8]++] = $3 "-" $4
            }
            END { for (phase in n) print at[phase, int(n[phase] / 2)] }' "$books/calls" | sort); do
        [ "$at" = a ] || next_works "$name"
        end_first "$name" "recover-$first"
        record "$name" "recover-$first" dead-man >> "$books/calls"
        [ "$at" = a ] || next_works "$name"
        end_first "$name" "boot-$first"
        record "$name" "boot-$first" recover >> "$books/calls"
    done
    faults < "$books/calls"
}

# --- one point ------------------------------------------------------------------------------------

# options_of CALL N FAULT ROLE: those of strace for it
options_of() {
    local inject action

    case $3 in
    kill-before) inject=error=EIO:signal=STOP action=kill ;;
    kill-after) inject=signal=STOP action=kill ;;
    power) inject=signal=STOP action=power ;;
    *) inject=error=$3 action=nothing ;;
    esac
    # shellcheck disable=SC2016  # $$ is the traced process
    printf '%s' "-e trace=$1 -e inject=$1:$inject:when=$2" ' -o "|'"$inside/watch"' $$ '"$action $wishes/$4.seen\""
}

# faults_are_exact NAME: that a process is stopped before a call or after it, and not somewhere near, is shown on a
# directory that mkdir makes
faults_are_exact() {
    local name=$1 fault

    for fault in kill-before kill-after ENOSPC; do
        (enter "$name" rm -rf "$wishes") && (enter "$name" mkdir "$wishes")
        # nsenter stops with its child, and would never go on: timeout stands between.
        attempt "$name" timeout -k 5 20 sh -c "exec strace -D -qq -y $(options_of mkdir 1 "$fault" test) mkdir $wishes/made"
        reached "$(host_dir "$name")/root$wishes/test.seen" "$fault" || fail "mkdir did not meet its fault"
        case $fault in
        kill-before) is "$code" 137 && missing "$name" "$wishes/made" ;;
        kill-after) is "$code" 137 && exists "$name" "$wishes/made" ;;
        ENOSPC) is "$code" 1 && says "No space left on device" && missing "$name" "$wishes/made" ;;
        esac
    done
}

# generations NAME: number and system of each
generations() {
    ask "$1" sh -c 'cd /nix/var/nix/profiles && for link in system-*-link; do echo "$link $(readlink "$link")"; done' | sort
}

# try NAME POINT...: the fields of a point; sets outcome (old, new, missed) and trouble (empty if all is well)
try() {
    local name=$1 story=$2 role=$3 call=$4 n=$5 fault=$6 phase=$9
    local to command options seen

    trouble='' outcome='' met=''
    to=$(other "$at")
    [ "$story" != bad ] || to=bad
    generations "$name" > "$books/generations"
    (enter "$name" rm -rf "$wishes") && (enter "$name" mkdir "$wishes")

    options=$(options_of "$call" "$n" "$fault" "$role")
    if [ "$role" = enact ]; then
        mapfile -t command < <(switch_command "$story" "$options")
    else
        mapfile -t command < <(switch_command "$story")
        wish "$name" "$role" "$options"
    fi
    case $story in
    recover-* | boot-*) end_first "$name" "$story" ;;
    esac

    if [ "$fault" = power ] || [[ $story == boot-* ]]; then
        with_power_cut "$name" "${command[@]}"
    else
        attempt "$name" timeout -k 5 90 "${command[@]}" > /dev/null
        ended=$code
    fi
    look "$name"
    seen=$(host_dir "$name")/root$wishes/$role.seen
    met=$(grep -v '^[-+][-+][-+]' "$seen" 2> /dev/null | grep INJECTED || grep -v '^[-+][-+][-+]' "$seen" 2> /dev/null | tail -n 1) || true
    if ! reached "$seen" "$fault"; then
        outcome=missed
        return
    fi
    judge_outcome "$name" "$to" "$fault" "$phase"
}

# with_power_cut NAME COMMAND...: it is cut when the process has come to its call
with_power_cut() {
    local name=$1 end=$((SECONDS + 60)) pid root
    shift

    root=$(host_dir "$name")/root
    ended=none
    (enter "$name" "$@") > "$place/last/out" 2> "$place/last/err" &
    pid=$!
    while [ ! -e "$root$wishes/power" ] && kill -0 "$pid" 2> /dev/null && [ "$SECONDS" -le "$end" ]; do
        sleep 0.01
    done
    power_cut "$name"
    wait "$pid" || true
    boot "$name" degraded
}

# reached FILE FAULT: the process has come to the call, and has met what it was to meet
reached() {
    case $2 in
    kill-* | power) grep -q 'stopped by SIGSTOP' "$1" 2> /dev/null ;;
    *) grep -q INJECTED "$1" 2> /dev/null ;;
    esac
}

# look NAME: wait until nothing of ours is at work any more, let recovery finish what it has not finished by itself,
# and take down what the host is
look() {
    local name=$1

    recovered=''
    (enter "$name" "$inside/quiet") > "$books/quiet" || trouble+="$(cat "$books/quiet")"$'\n'
    if (enter "$name" test -e /var/lib/enact/transaction.json); then
        recovered=' (recovered when asked)'
        (enter "$name" "$engine" recover) > "$books/recover" 2>&1 || true
        (enter "$name" "$inside/quiet") > "$books/quiet" || trouble+="$(cat "$books/quiet")"$'\n'
    fi
    # Of a recovery that was killed systemd says that it has failed, and rightly.
    (enter "$name" systemctl reset-failed enact-recover.service) 2> /dev/null || true
    (enter "$name" "$inside/facts") > "$books/facts" 2>&1 || true
    (enter "$name" "$inside/left") > "$books/left" 2>&1 || true
    generations "$name" > "$books/generations.now"
}

# judge_outcome NAME TO FAULT PHASE: wholly old or wholly new, nothing left over, and the words fit
judge_outcome() {
    local name=$1 to=$2 fault=$3 new_links

    if diff "$books/$at.facts" "$books/facts" > "$books/diff.old"; then
        outcome=old
    elif [ "$to" != bad ] && diff "$books/$to.facts" "$books/facts" > "$books/diff.new"; then
        outcome=new
    else
        outcome=between
        trouble+="neither the old system nor the new one. Other than in the old one:"$'\n'"$(head -n 30 "$books/diff.old")"$'\n'
        [ "$to" = bad ] || trouble+="Other than in the new one:"$'\n'"$(head -n 30 "$books/diff.new")"$'\n'
    fi
    # What a killed enact or root helper leaves is taken away by the next one.
    case $role in
    enact | serve) sed -i '/ \/root\/\.cache\/enact\/build-/d' "$books/left" ;;
    esac
    # Nor does anybody look after a switch that died with its first record half written, before there is one.
    [ "$phase" != stage ] || [ "$outcome" != old ] || sed -i '\, /var/lib/enact/\.transaction\.json\.,d' "$books/left"
    leave_out_told
    [ ! -s "$books/left" ] || trouble+=$(cat "$books/left")$'\n'

    new_links=$(comm -13 "$books/generations" "$books/generations.now")
    case $outcome in
    old) [ -z "$new_links" ] || trouble+="a generation of a system that does not run: $new_links"$'\n' ;;
    new) [[ $new_links == *" $(path_to "$to")" && $new_links != *$'\n'* ]] || trouble+="new generations: '$new_links'"$'\n' ;;
    esac
    [ -z "$(comm -23 "$books/generations" "$books/generations.now")" ] || trouble+="a generation is gone"$'\n'

    # A dead caller says nothing, nor does one whose host has lost its power.
    case $role/$fault/$ended/$outcome$recovered in
    # It could not do its work, and said so; the record was there for the next one.
    dead-man/E*/5/*' (recovered when asked)') ;;
    enact/kill-*/* | serve/kill-*/5/* | */none/* | */0/new* | */1/old* | */3/old* | */10/old*) ;;
    *) trouble+="enact ended with $ended, and the host is $outcome: $(tail -n 2 "$place/last/err")"$'\n' ;;
    esac
}

# leave_out_told: a root of ours that could not be taken away is told, and the next switch takes it
leave_out_told() {
    local root

    sed -n "s/.*the root '\([^']*\)' could not be taken away.*/\1/p" "$place/last/err" | sort -u > "$books/told"
    while IFS= read -r root; do
        sed -i "\\, $root\( \|\$\),d" "$books/left"
    done < "$books/told"
}

# next_works NAME: a switch to the other system, as if nothing had been; after enact itself by the flake again
next_works() {
    local to way
    to=$(other "$at")
    way=(--store-path "$(path_to "$to")")
    [ "${role:-}" != enact ] || way=(--flake "/root/$to")

    (enter "$1" rm -rf "$wishes")
    attempt "$1" timeout -k 5 90 enact switch "${way[@]}" > /dev/null
    [ "$code" = 0 ] || trouble+="the next switch ends with $code: $(cat "$place/last/err")"$'\n'
    (enter "$1" "$inside/quiet") > "$books/quiet" || trouble+=$(cat "$books/quiet")$'\n'
    (enter "$1" "$inside/facts") > "$books/facts" 2>&1 || true
    (enter "$1" "$inside/left") > "$books/left" 2>&1 || true
    diff "$books/$to.facts" "$books/facts" > "$books/diff.new" ||
        trouble+="the next switch does not lead there:"$'\n'"$(cat "$books/diff.new")"$'\n'
    [ ! -s "$books/left" ] || trouble+="after the next switch: $(cat "$books/left")"$'\n'
    at=$to
    # Thousands of generations would be a test of something else.
    (enter "$1" sh -c 'cd /nix/var/nix/profiles && for link in system-*-link; do
        [ "$link" = "$(readlink system)" ] || rm "$link"; done')
}

# point NAME LINE: try it, and print one line that tells how it went, and what is wrong if something is.
# Return: 0 well, 1 not, 2 the process did not come to that call
point() {
    local name=$1 line=$2 begun=$EPOCHREALTIME fields seconds role='' verdict=ok

    IFS=$'\t' read -r -a fields <<< "$line"
    [ "${fields[5]}" = "$at" ] || next_works "$name"
    try "$name" "${fields[@]}"
    case $outcome in
    old | between | missed) ;;
    new) at=$(other "$at") ;;
    esac
    role=${fields[1]}
    [ -n "$trouble" ] || next_works "$name"
    [ -z "$trouble" ] || verdict='not ok'
    [ "$outcome" != missed ] || verdict=missed

    seconds=$(awk -v from="$begun" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
    printf '%s\t%s\t%s\t%s\t%s\n' "$verdict" "$outcome$recovered" "$ended" "$seconds" "$line"
    if [ -n "$trouble" ]; then
        printf '%s' "$trouble" | sed 's/^/    /'
        printf '    met: %s\n' "$met" | cut -c1-300
        journal "$name" -n 15 2> /dev/null | sed 's/^/    | /' | cut -c1-220 || true
        matrix_afresh "$name"
        return 1
    fi
    [ "$verdict" = ok ] || return 2
}

# points_hold NAME: try each of the points on standard input; one that does not hold fails the scenario, in the end
points_hold() {
    local name=$1 line result n=0 bad=0 missed=0

    while IFS= read -r -u 9 line; do
        result=0
        point "$name" "$line" || result=$?
        n=$((n + 1))
        case $result in
        0) ;;
        2) missed=$((missed + 1)) ;;
        *) bad=$((bad + 1)) ;;
        esac
    done 9<&0
    printf '%s points tried: %s not well, at %s the process did not come by\n' "$n" "$bad" "$missed"
    [ "$bad" -eq 0 ] || fail "$bad of $n points are not well; they are above"
    [ $((missed * 5)) -le "$n" ] || fail "$missed of $n points were not reached: what is recorded is not what happens"
}

# points_where NAME FIELD REGEX [FIELD REGEX]...: those points of all that there are
points_where() {
    local name=$1 condition=1
    shift

    while [ $# -gt 0 ]; do
        condition+=" && \$$1 ~ \"$2\""
        shift 2
    done
    [ -e "$books/points" ] || matrix_points "$name" > "$books/points"
    awk -F'\t' "$condition" "$books/points"
}

# spread_holds NAME N FIELD REGEX...: N of those, others with each ENACT_TEST_SEED
spread_holds() {
    local name=$1 n=$2 seed=${ENACT_TEST_SEED:-$(date +%s)}

    points_where "$name" "${@:3}" > "$books/candidates"
    step "$n of $(wc -l < "$books/candidates") points, by ENACT_TEST_SEED=$seed"
    spread "$n" "$seed" < "$books/candidates" > "$books/chosen"
    points_hold "$name" < "$books/chosen"
}
