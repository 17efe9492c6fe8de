# shellcheck shell=bash
# The story that tools/demo tells, in the words of tests/host/lib.sh and a few of its own: a machine
# is switched to examples/fleet's "web", changed, broken, and rolled back.

steps=0 checks=0

heading() {
    steps=$((steps + 1))
    printf '\n%s. %s\n\n' "$steps" "$*"
}

# types COMMAND...: show the command as a person would type it in /root/fleet, and run it there
types() {
    local text word

    text=''
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./:=#@%+-]*) text+=" '$word'" ;;
        *) text+=" $word" ;;
        esac
    done
    printf '[root@web:~/fleet]#%s\n' "$text"
    code=0
    (enter web env --chdir=/root/fleet "$@") || code=$?
    [ ! -e "$place/failed" ] || exit 1
}

# checks_that TEXT WORD...: the word has to hold, else the demo ends there
checks_that() {
    "${@:2}"
    checks=$((checks + 1))
    printf '   -> %s\n' "$1"
}

ends_with() {
    is "$code" "$1" "the exit code"
}

greets() {
    eventually 5 greeting_is "$1"
}

greeting_is() {
    is "$(contents web /run/greeter/greeting)" "$1" "the greeting"
}

# services: each running service and its main process, one a line
services() {
    local unit

    for unit in $(ask web systemctl list-units --type=service --state=running --plain --no-legend |
        awk '{ print $1 }' | grep -v -e '^enact' -e '^user@'); do
        printf '%s %s\n' "$unit" "$(pid_of web "$unit")"
    done
}

# only_restarted BEFORE [UNIT]: of the services in BEFORE, this one alone has a new process
only_restarted() {
    local now changed

    now=$(services)
    changed=$(comm -3 <(sort <<< "$1") <(sort <<< "$now") | awk '{ print $1 }' | sort -u)
    is "$changed" "${2:-}" "the list of services with a new process"
}

host web
cp -r "$checkout/examples/fleet" "$place/hosts/web/root/root/fleet"
# As its README says: the hardware is this machine's own. A container has no disk and no boot loader.
write web /root/fleet/hosts/web/hardware.nix << NIX
{ nixpkgs.hostPlatform = "$(uname -m)-linux"; }
NIX
# No network here: nixpkgs and home-manager are tests/nixos, as flake.lock pins them.
lock_offline web /root/fleet
first=$(running_of web)

heading "The machine becomes what its flake says it is"
types enact switch --flake .#web
checks_that "it says that it succeeded" ends_with 0
checks_that "another system runs now" is_not "$(running_of web)" "$first" "the running system"
checks_that "and it is the one that the profile names" is "$(profile_of web)" "$(running_of web)"
checks_that "greeter.service runs and greets" greets "Hello from enact!"
hello=$(running_of web)

heading "One line of one service is changed. What would happen?"
types sed -i 's/Hello from enact!/Good morning!/' hosts/web/greeter.nix
snapshot web
types enact plan --flake .#web
checks_that "a plan was made" ends_with 0
checks_that "and nothing was touched" unchanged web

heading "Then make it so"
before=$(services)
types enact switch --flake .#web
checks_that "it says that it succeeded" ends_with 0
checks_that "greeter.service has a new process, all others kept theirs:
$(paste -d ' ' <(sort <<< "$before") <(services | sort) | awk '{ printf "      %-32s PID %s -> %s\n", $1, $2, $4 }')" \
    only_restarted "$before" greeter.service
checks_that "the new greeting is there" greets "Good morning!"
morning=$(running_of web)

heading "The same once more: there is nothing to do"
before=$(services)
snapshot web
types enact switch --flake .#web
checks_that "that is a success" ends_with 0
checks_that "no service has a new process, no generation was made" unchanged web

heading "A change that does not work: the service ends as soon as it starts"
types sed -i 's/exec sleep infinity/exit 1/' hosts/web/greeter.nix
types enact switch --flake .#web
checks_that "exit code 3: it failed, and was rolled back" ends_with 3
checks_that "the system from before runs" is "$(running_of web)" "$morning" "the running system"
checks_that "the profile names it" is "$(profile_of web)" "$morning" "the profile"
checks_that "greeter.service is well" active web greeter.service
checks_that "and greets as before" greets "Good morning!"

heading "What there is, and how it stands"
types enact generations
checks_that "generations are listed" ends_with 0
types enact status
checks_that "the state is shown" ends_with 0

heading "Back to the first greeting"
before=$(services)
types enact rollback
checks_that "it says that it succeeded" ends_with 0
checks_that "the recorded system runs again" is "$(running_of web)" "$hello" "the running system"
checks_that "only greeter.service has a new process" only_restarted "$before" greeter.service
checks_that "the first greeting is back" greets "Hello from enact!"

printf '\ndemo: %s steps, %s checks, all held\n' "$steps" "$checks"
