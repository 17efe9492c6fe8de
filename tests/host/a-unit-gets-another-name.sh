# A unit gets another name, and its old one stays as an alias: it runs on, and nobody calls it new; and on the way
# back its old name runs, whoever wants it. So with instances of a template; and of two that become one, one remains.
# It may take 300 s.

needs enact
host web

# names NAME: the units by their old names or by their new ones
names() {
    configuration web "$1" << NIX
let
  new = "$1" == "after";
  sleeper = n: { serviceConfig.ExecStart = "/bin/sleep \${toString n}"; };
  named = old: unit: if new then { "new-\${old}" = unit // { aliases = [ "\${old}.service" ]; }; } else { \${old} = unit; };
in {
  systemd.services = named "plain" (sleeper 1001)
    // named "wanted" (sleeper 1002 // { wantedBy = [ "multi-user.target" ]; })
    // named "many@" { serviceConfig.ExecStart = "/bin/sleep 1003%i"; }
    // named "shaky" { serviceConfig = { Restart = "always"; RestartSec = 0; ExecStart = "/bin/sh -c 'echo >> /run/shaky; test \$(wc -l < /run/shaky) -gt 3 && exec sleep infinity'"; }; }
    // named "asked" (sleeper (if new then 1005 else 1006))
    // (if new then { twin = sleeper 1007 // { aliases = [ "other.service" ]; }; } else { twin = sleeper 1007; other = sleeper 1008; })
    // { follower = { requires = [ "plain.service" ]; after = [ "plain.service" ]; serviceConfig.ExecStart = "/bin/sleep 1009"; }; };
}
NIX
}

names before
names after
on web enact switch --flake /root/before
on web systemctl start plain.service many@1.service asked.service twin.service other.service follower.service
on web systemctl start --no-block shaky.service
restarted() { [ "$(restarts_of web shaky.service)" -ge 3 ] && active web shaky.service; }
eventually 30 restarted
plain=$(pid_of web plain.service) wanted=$(pid_of web wanted.service) many=$(pid_of web many@1.service)
shaky=$(pid_of web shaky.service) asked=$(pid_of web asked.service) twin=$(pid_of web twin.service)
follower=$(pid_of web follower.service)

step "they run on by their new names, and nothing is said to be new"
on web enact dry-activate --flake /root/after
says "'plain.service' is 'new-plain.service' from now on" "'many@1.service' is 'new-many@1.service' from now on" \
    "the new system makes it another name of a unit that runs already"
on web enact switch --flake /root/after
says_not "newly running"
for name in new-plain plain; do same_pid web "$name.service" "$plain"; done
for name in new-wanted wanted; do same_pid web "$name.service" "$wanted"; done
for name in new-many@1 many@1; do same_pid web "$name.service" "$many"; done
for name in new-shaky shaky; do same_pid web "$name.service" "$shaky"; done
same_pid web twin.service "$twin"
same_pid web follower.service "$follower"
active web new-asked.service
other_pid web asked.service "$asked"
refused web 1 pgrep -x -f "/bin/sleep 1008"

step "back again what ran runs, by the names that are there"
on web enact dry-activate --flake /root/before
says "it has run by another name, which the new system does not have"
on web enact switch --flake /root/before
says_not "newly running"
for name in plain wanted many@1 asked follower twin shaky; do active web "$name.service"; done
for name in new-plain new-wanted new-many@1 new-asked; do inactive web "$name.service"; done
for n in 1001 1002 10031 1006 1007 1009; do is "$(ask web pgrep -cxf "/bin/sleep $n")" 1 "processes of sleep $n"; done

step "switch-to-configuration does the same, and calls none of them new"
on web "$(built web after)/bin/switch-to-configuration" test
says_not "the following new units were started"
on web "$(built web before)/bin/switch-to-configuration" test
says "starting the following units" "plain.service"
says_not "the following new units were started"
for name in plain wanted many@1 asked follower; do active web "$name.service"; done
