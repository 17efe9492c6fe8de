# The drop-ins of an instance, its template, its prefixes and its type are taken in systemd's own order: what the
# plan says of them is what systemd has after the switch. One that counts and changed restarts; a hidden one does not.
# A unit that becomes another name of a unit has the drop-ins of that.

needs enact
host web

# system NAME HIDDEN PREFIX TYPE: with these values in the drop-ins
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.packages = [ (pkgs.runCommand "drop-ins" { } ''
    mkdir -p \$out/lib/systemd/system && cd \$out/lib/systemd/system
    printf '[Service]\nExecStart=/bin/sleep infinity\nEnvironment=UNIT=1\n' > a-b@.service
    put() { mkdir -p "\$1.service.d"; printf '[Service]\nEnvironment=%s\n' "\$3" > "\$1.service.d/\$2.conf"; }
    put a-b@x 20 INSTANCE=1
    put a-b@x 50 WINS=instance
    put a-b@  10 TEMPLATE=1
    put a-b@  50 WINS=template-$2
    put a-b@  70 WINS_TOO=template
    put a-@x  60 PREFIX_OF_INSTANCE=1
    put a-@x  70 WINS_TOO=prefix
    put a-@   15 PREFIX=$3
    put a-@   60 PREFIX_OF_INSTANCE=hidden
    mkdir -p service.d
    printf '[Service]\nEnvironment=TYPE=$4\n' > service.d/05.conf
    printf '[Service]\nEnvironment=PREFIX=type\n' > service.d/15.conf
  '') ];
}
NIX
}
system one 1 1 1
system two 1 2 1
on web enact switch --flake /root/one
on web systemctl start a-b@x.service

step "the order is systemd's"
on web enact plan --flake /root/two --json
planned=$(said | jq -r '.stop[] | select(.unit == "a-b@x.service").why[] | select(.key == "Environment").new | join(" ")')
old=$(pid_of web a-b@x.service)
on web enact switch --flake /root/two
other_pid web a-b@x.service "$old"
is "$planned" "$(unit_property web a-b@x.service Environment)"
is "$planned" "UNIT=1 TYPE=1 TEMPLATE=1 PREFIX=2 INSTANCE=1 WINS=instance PREFIX_OF_INSTANCE=1 WINS_TOO=template"

step "one that is hidden may change, and nothing is restarted for it"
old=$(pid_of web a-b@x.service)
system three 2 2 1
on web enact switch --flake /root/three
same_pid web a-b@x.service "$old"

step "one for all services restarts those, and only once"
steady=$(pid_of web steady.service)
system four 2 2 2
on web enact switch --flake /root/four
other_pid web a-b@x.service "$old"
other_pid web steady.service "$steady"
steady=$(pid_of web steady.service)
on web enact switch --flake /root/four --force
same_pid web steady.service "$steady"

# named NAME PREFIX NUMBER MODULE: two units whose names begin with PREFIX, NUMBER in the file of the one; and MODULE
named() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  systemd.packages = [
    (pkgs.writeTextDir "lib/systemd/system/$2keeps.service" "[Service]\nExecStart=/bin/sleep 100$3\n")
    (pkgs.writeTextDir "lib/systemd/system/$2follows.service" "[Service]\nExecStart=/bin/sleep 1001\n")
  ];
  $4
}
NIX
}

step "what becomes another name of a unit has the drop-ins of that"
named before "" 1 ""
named after new- 2 'systemd.services.new-keeps = { aliases = [ "keeps.service" ]; restartIfChanged = false; };
  systemd.services.new-follows = { aliases = [ "follows.service" ]; environment.COLOUR = "blue"; };'
on web enact switch --flake /root/before
on web systemctl start keeps.service follows.service
keeps=$(pid_of web keeps.service) follows=$(pid_of web follows.service)
on web enact switch --flake /root/after
same_pid web keeps.service "$keeps"
other_pid web follows.service "$follows"
on web sh -c "tr '\0' '\n' < /proc/$(pid_of web follows.service)/environ | grep -x COLOUR=blue"
