# A system that is made for another host: on a terminal it is asked whether it is meant for this one; who
# says no, or cannot be asked, changes nothing. --hostname and --flake name it, and a typo is answered.

needs enact
host web

configuration web flake << 'NIX'
{ environment.etc.motto.text = "flake"; }
NIX
on web sed -i 's/nixosConfigurations."web"/nixosConfigurations.mail/; s/networking.hostName = "web"/networking.hostName = "mail"/' /root/flake/flake.nix
snapshot web

# at_terminal ANSWER COMMAND: with a terminal at which ANSWER is typed
at_terminal() {
    local answer=$1
    shift
    attempt web sh -c 'printf "%b" "$1" | script -qec "$2" /dev/null' - "$answer" "$*"
}

step "the host's own name is not in the flake: the names that are"
refused web 10 enact switch --flake /root/flake
says_on_stderr "has no host 'web'" "It has: mail" "--flake '/root/flake#NAME'"
refused web 10 enact switch --flake /root/flake -H mial
says_on_stderr "Did you mean 'mail'?"
refused web 2 enact build --flake /root/flake#web --hostname mail
says_on_stderr "Two names for one configuration"

step "nobody can be asked: refused"
refused web 1 enact switch --flake /root/flake -H mail
says_on_stderr "is the system of a host 'mail', and this one is 'web'" "--force-host"

step "no is the answer, or none: nothing is changed, and that is no error"
for answer in 'n\n' '\n' 'what\n'; do
    at_terminal "$answer" enact switch --flake /root/flake -H mail
    is "$code" 0
    says "is the system of a host 'mail'" "Is it meant for this host all the same? [y/N]" "declined: Nothing was changed"
done
unchanged web

step "Ctrl-C at the question"
on web mkfifo /root/silence
begin asked web sh -c 'exec script -qec "enact switch --flake /root/flake -H mail" /dev/null 0<> /root/silence'
eventually 60 said_so_far asked "[y/N]"
on web pkill -INT -x enact
ends asked 130
says "Interrupted. Nothing was changed."
unchanged web

step "who does not want to be asked says so beforehand; an unattended one is refused"
at_terminal 'y\n' enact switch --flake /root/flake -H mail --unattended
is "$code" 1
unchanged web

step "yes is the answer"
at_terminal 'y\n' enact switch --flake /root/flake -H mail
is "$code" 0
is "$(contents web /etc/motto)" flake
