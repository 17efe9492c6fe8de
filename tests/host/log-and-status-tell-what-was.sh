# What was switched is told afterwards, to anybody: when, by whom, from what to what, how it ended; and
# status names what failed last and which generation is which.

needs enact
host web

step "nothing was switched yet"
on bob@web enact log
says "Nothing was switched"
on bob@web enact log --json
is "$(said)" '{"version":1,"entries":[]}'
refused web 1 enact log 20200101-000000-000001
says "no switch '20200101-000000-000001'"
refused web 2 enact log 1 2
zero=$(running_of web)
on bob@web enact status
says "running        $zero  (generation 1)" "boot default   $zero  (generation 1)" "booted         $zero  (generation 1)"
says_not "reboot" "last"

configuration web one << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1001"; }; }
NIX
configuration web bad << 'NIX'
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; }; }
NIX
one=$(built web one)
bad=$(built web bad)

# entry NUMBER KEY: of the history, 0 is the newest
entry() {
    ask bob@web enact log --json | jq -r ".entries[$1] | if has(\"$2\") then .[\"$2\"] else \"no such key\" end"
}

step "one that went well, by a user"
on alice@web enact switch --store-path "$one"
is "$(entry 0 user)" alice
is "$(entry 0 verb)" switch
is "$(entry 0 from)" "$zero"
is "$(entry 0 to)" "$one"
is "$(entry 0 outcome)" "done"
is "$(entry 0 exit)" 0
on bob@web enact log
says "switch by alice" "done (exit code 0)" "from $zero" "to   $one"
on bob@web enact status
says "running        $one  (generation 2)" "booted         $zero  (generation 1)" "last switch"

step "one that was rolled back, one that only booted, one that was only tested"
refused web 3 enact switch --store-path "$bad"
is "$(entry 0 user)" root
is "$(entry 0 outcome)" "rolled-back"
is "$(entry 0 exit)" 3
failed_id=$(entry 0 id)
[[ $(entry 0 text) == *greeter* ]] || fail "the text does not name the unit: $(entry 0 text)"
on bob@web enact status
says "failed system  $bad" "exit code 3"
on web enact boot --store-path "$zero"
is "$(entry 0 verb)" boot
on web enact rollback
on web enact test --store-path "$one"
is "$(entry 0 verb)" test
on bob@web enact status
says "last test" "failed switch" "until a reboot what runs is not the boot default"
on bob@web enact status --json
is "$(said | jq -r .version)" 1
is "$(said | jq -r '."last-failed".id')" "$failed_id"
is "$(said | jq -r '."last-failed".outcome')" "rolled-back"
is "$(said | jq -r '.last.user')" root
is "$(said | jq -r '."failed-systems"[]')" "$bad"
is "$(said | jq -c '.generations')" '{"running":2,"default":3,"booted":3}'
is "$(said | jq -c '.reboot')" '{"needed":false,"reasons":[],"not-in-effect":[]}'
is "$(said | jq -c '[.open, ."under-way", .interrupted]')" '[null,false,false]'

step "how many, and which"
on bob@web enact log
is "$(said | grep -c '^20')" 5
on bob@web enact log 2
is "$(said | grep -c '^20')" 2
says "3 earlier"
on bob@web enact log 0
is "$(said)" ""
is "$(ask bob@web enact log --json 3 | jq '.entries | length')" 3
is "$(ask bob@web enact log --json | jq '.entries | length')" 5
on bob@web enact log "$failed_id"
says "$failed_id" "rolled-back (exit code 3)" "to   $bad" "judged: bad" "greeter.service is not well" "after the rollback: good"
says_not "earlier" "to   $one"
is "$(ask bob@web enact log --json "$failed_id" | jq -r '.entries[].id')" "$failed_id"

step "a user who has gone is a number"
on web sh -c 'sed -i "s/\"uid\":1000/\"uid\":4242/" /var/lib/enact/history/*'
is "$(entry 4 user)" 4242

step "a history that was damaged in one place is told in the others; one that cannot be read is an error"
on web sh -c "echo '{' > /var/lib/enact/history/$failed_id.json"
is "$(ask bob@web enact log --json | jq '.entries | length')" 4
on web chmod 0700 /var/lib/enact
refused bob@web 1 enact log
says "Cannot read the history"
on web chmod 0755 /var/lib/enact
refused bob@web 1 sh -c 'enact log > /dev/full'
