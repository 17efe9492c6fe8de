# Specialisations: one is entered by its name, the next switch stays in it and says how to leave it, the
# profile and the boot menu have the system that it is of, and a rollback finds the way back into it.
# It may take 240 s.

needs enact
host web

module='{ specialisation.red.configuration.environment.etc.colour.text = "red";
  specialisation.blue.configuration.environment.etc.colour.text = "blue"; environment.etc.colour.text = lib.mkDefault "none"; '
configuration web one << NIX
{ lib, ... }: $module environment.etc.motto.text = "one"; }
NIX
configuration web two << NIX
{ lib, ... }: $module environment.etc.motto.text = "two"; }
NIX
configuration web plain << 'NIX'
{ environment.etc.motto.text = "plain"; }
NIX
one=$(built web one)
two=$(built web two)
plain=$(built web plain)
variant() { ask web readlink -f "$1/specialisation/$2"; }
colour() { is "$(contents web /etc/colour)" "$1" "the colour"; }

step "a wrong name: told with those there are, and nothing was changed"
snapshot web
refused web 1 enact switch --flake /root/one#web --specialisation rde
says_on_stderr "no specialisation 'rde'" "It has: blue, red" "Did you mean 'red'?" "Nothing was changed"
refused web 1 enact switch --flake /root/plain#web -c red
says_on_stderr "It has: none"
refused web 2 enact switch --flake /root/one#web -c red -S
refused web 2 enact boot --flake /root/one#web -c red
says_on_stderr "'boot' takes no option '--specialisation'"
unchanged web

step "entered by its name: it runs, and the profile and the boot default are the whole system"
on web enact switch --flake /root/one#web -c red
says_on_stderr "which it is a specialisation of"
is "$(running_of web)" "$(variant "$one" red)"
is "$(profile_of web)" "$one"
colour red
on web jq -r .toplevel /var/lib/enact/boot-default.json
is "$(said)" "$one" "the boot default"
on web enact switch --flake /root/one#web -s red
says_on_stderr "Nothing to do"

step "the next switch stays in it, and says how to leave"
on web enact plan --json --flake /root/two#web
says_on_stderr "staying in the specialisation 'red'"
is "$(said | jq -r .to)" "$(variant "$two" red)"
on web enact switch --flake /root/two#web
says_on_stderr "staying in the specialisation 'red'" "--no-specialisation (-S)"
is "$(running_of web)" "$(variant "$two" red)"
is "$(profile_of web)" "$two"

step "a test in another one leaves the profile alone"
on web enact test --flake /root/two#web -c blue
colour blue
is "$(profile_of web)" "$two"

step "a rollback leads back into the one that ran before, and the profile to the system that it is of"
on web enact switch --flake /root/two#web -c red
on web enact switch --flake /root/one#web
is "$(running_of web)" "$(variant "$one" red)"
on web enact rollback
is "$(running_of web)" "$(variant "$two" red)"
is "$(profile_of web)" "$two"
is "$(generations_of web | wc -l)" 4 "generations"

step "left by -S; by a system that does not have it; by a reboot"
on web enact switch --flake /root/two#web -S
is "$(running_of web)" "$two"
colour none
on web enact switch --flake /root/two#web --specialisation=red
on web enact switch --flake /root/plain#web
says_on_stderr "does not have: the system itself is taken"
is "$(running_of web)" "$plain"
on web enact switch --flake /root/two#web --specialisation=red
reboot web
is "$(running_of web)" "$two"
at_its_end web

step "a switch into one that goes wrong leaves all as it was"
configuration web bad << NIX
{ lib, ... }: { specialisation.red.configuration.systemd.services.bad = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; }; }
NIX
generations=$(generations_of web)
refused web 3 enact switch --flake /root/bad#web -c red
is "$(running_of web)" "$two"
is "$(profile_of web)" "$two"
is "$(generations_of web)" "$generations"
at_its_end web

step "only a system's own specialisation may stand for it"
request=$(ask web sh -c 'cat /run/enact/*/request.json | tail -n 1')
request=$(jq -c --arg t "$(variant "$one" red)" --arg s "$plain" '.toplevel = $t | .system = $s' <<< "$request")
write web /root/request <<< "$request"
attempt web sh -c '/usr/libexec/enact/enact-activate serve < /root/request'
says "is no specialisation of"
is "$(running_of web)" "$two"
is "$(profile_of web)" "$two"
