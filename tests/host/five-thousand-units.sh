# A host with 5,000 units: a switch that changes a handful restarts exactly those, all others are the very runs
# that they were, and none of it takes long.

needs enact
host web

# units N: 4,900 timers, which cost systemd little, and 100 services; every thousandth timer and every
# fortieth service is told apart by N
units() {
    configuration web flake << NIX
{ config, lib, pkgs, ... }: {
  systemd.targets.many = { wantedBy = [ "multi-user.target" ]; };
  environment.etc."systemd/system".source = lib.mkForce (pkgs.runCommand "many-units" { } ''
    cp -a \${config.system.build.units} "\$out"
    chmod -R u+w "\$out"
    mkdir "\$out/many.target.wants"
    cd "\$out"
    awk 'BEGIN {
      for (i = 1; i <= 4900; i++) {
        file = "many-" i ".timer"
        printf "[Unit]\nDefaultDependencies=no\n[Timer]\nOnActiveSec=%sd\nUnit=many.service\n", (i % 1000 ? 1 : $1) > file
        close(file)
      }
      for (i = 1; i <= 100; i++) {
        file = "many-" i ".service"
        printf "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\nEnvironment=N=%s\n", (i % 40 ? 0 : $1) > file
        close(file)
      }
      file = "many.service"
      printf "[Service]\nExecStart=/bin/true\n" > file
    }'
    cd many.target.wants
    ls .. | grep '^many-' | sed 's,^,../,' | xargs ln -s -t .
  '');
}
NIX
}
units 1
on web enact switch --flake /root/flake
is "$(ask web systemctl list-units --no-legend --state=active 'many-*' | wc -l)" 5000
mark=$(ask web date +@%s.%N)

units 2
system=$(built web flake)
SECONDS=0
on web sh -c "enact switch --store-path $system --json > /run/story"
took=$SECONDS
expected=$({
    printf 'many-%s.timer\n' 1000 2000 3000 4000
    printf 'many-%s.service\n' 40 80
} | sort | xargs)
is "$(contents web /run/story | jq -r 'select(.event == "job" and (.unit | startswith("many-"))) | .unit' | sort -u | xargs)" "$expected" "the units with jobs"
is "$(ask web journalctl --quiet --since "$mark" --output json --output-fields UNIT _PID=1 | jq -r '.UNIT // ""' | grep '^many-' | sort -u | xargs)" \
    "$expected" "the units that systemd did something to"
is "$(ask web systemctl list-units --no-legend --state=active 'many-*' | wc -l)" 5000
[ "$took" -le 20 ] || fail "the switch took $took s"

step "and a switch of nothing is nothing"
on web enact switch --store-path "$system"
says "Nothing to do"
