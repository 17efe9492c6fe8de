# What people do by mistake, and what their shell does to them: forgotten options, wrong paths, closed
# descriptors, a full disk behind a '>'. Each is answered in words, and the host stays as it was.

needs enact
host web

configuration web one << 'NIX'
{ pkgs, ... }: {
  system.activationScripts.talk = {
    text = "printf 'red \\033[31m ding \\a title \\033]0;owned\\a end\\n'; /usr/local/bin/hold-here";
    supportsDryActivation = true;
  };
}
NIX
one=$(built web one)
snapshot web

step "options that are forgotten, or in the wrong place"
refused web 2 enact switch .#web
says_on_stderr "takes no word '.#web'" "--flake"
refused web 2 enact --flake .#web switch
says_on_stderr "options come after the verb"
refused web 2 enact switch --profile-name ../system --store-path "$one"
says_on_stderr "--profile-name" "'../system'"

step "store paths that are none: 1, before anything is asked of root"
refused bob@web 1 enact switch --store-path result
says_on_stderr "No system at 'result'" "Nothing was changed"
for verb in build switch plan dry-activate; do
    refused web 1 enact "$verb" --store-path /tmp
    says_on_stderr "'/tmp' is no path of the Nix store" "Nothing was changed"
    is "$(said)" "" "standard output"
done

step "a link to a system stands for the system, also a relative one"
on web ln -s "$one" /root/result
on web sh -c "cd /root; enact build --store-path result"
is "$(said)" "$one"
on web sh -c "cd /root; enact plan --json --store-path result | jq -r .to"
is "$(said)" "$one"

step "a profile that is not there has no generations, and is not made by asking"
on bob@web enact generations --profile-name nope
on web enact generations --profile-name nope
says_on_stderr "no generation"
missing web /nix/var/nix/profiles/system-profiles

step "a link to the result that cannot be made: told before anything is built"
on web mkdir -p /root/taken/result
refused web 1 env --chdir=/root/taken enact build --flake /root/one#web
says_on_stderr "'./result' is in the way" "Nothing was changed"
on web cp -r /root/one /home/alice/one
on web chown -R alice: /home/alice/one
refused alice@web 1 env --chdir=/ enact build --flake path:/home/alice/one#web
says_on_stderr "Cannot make the link './result'" "Permission denied" "Nothing was changed"
says_not "evaluating"

step "data that cannot be written is an error"
for command in "generations" "generations --json" "status" "status --json" "plan --store-path $one" \
    "build --store-path $one"; do
    refused web 1 sh -c "enact $command > /dev/full"
    says_on_stderr "cannot be written"
done
unchanged web

step "with --json the last object says how it ended, also where no engine was asked"
for verb in build switch; do
    refused web 10 enact "$verb" --json --flake /root/nowhere
    is "$(said | tail -n 1 | jq -r '"\(.event) \(.exit) \(.error)"')" "end 10 org.enact.Error.NoFlake"
done
refused web 1 enact rollback --json 99
is "$(said | jq -r '"\(.event) \(.exit)"')" "end 1"
on web sh -c "cd /root; rm result; enact build --json --flake /root/one#web"
is "$(said | tail -n 1 | jq -r '"\(.event) \(.exit) \(.text)"')" "end 0 $one"
refused web 1 enact plan --json --store-path /tmp
is "$(said)" ""

step "a terminal that hears of an interrupt ends a dry run, and the script with it"
hold web
begin dry web enact dry-activate --store-path "$one"
eventually 30 held web
on web pkill -INT -x enact
ends dry 130
says_on_stderr "nothing was changed"
let_go web
unchanged web

step "a root helper that is killed while Nix builds"
configuration web slow << 'NIX'
{ pkgs, ... }: { environment.etc.slow.source = pkgs.runCommand "slow" { } "/usr/local/bin/hold-here; echo > $out"; }
NIX
hold web
begin switch web enact switch --flake /root/slow#web
eventually 30 held web
on web sh -c 'kill -KILL $(pgrep -f "^/usr/libexec/enact/enact-activate serve")'
let_go web
ends switch 1
says_on_stderr "root helper" "Nothing was changed"
unchanged web

step "closed descriptors are no place for what is meant for the engine, or told by it"
on web sh -c "enact switch --json --store-path $one >&-"
is "$(running_of web)" "$one"
on web sh -c "enact switch --force --store-path $one <&- >&- 2>&-"
says_nothing
on web sh -c "ls -l /var/lib/enact/lock /run/nixos/switch-to-configuration.lock | awk '{ print \$5 }' | sort -u"
is "$(said)" 0 "bytes in the lock files"

step "whatever root's umask is: the request is for everybody, the story for readers of the journal"
on web sh -c "umask 077; rm -r /run/enact; enact switch --force --store-path $one"
on bob@web sh -c 'cat /run/enact/*/request.json'
refused bob@web 1 sh -c 'cat /run/enact/*/events'
says_on_stderr "Permission denied"
on web setpriv --reuid bob --regid bob --groups systemd-journal sh -c 'cat /run/enact/*/events'

on web sh -c "rm -r /var/lib/enact; umask 077; /usr/libexec/enact/enact-activate recover"
is "$(ask web stat --format=%a /var/lib/enact /var/lib/enact/history | xargs)" "755 755" "the modes of the state directories"
on bob@web enact status
on bob@web enact log

step "what a script prints reaches a terminal as text alone"
on web enact switch --force --store-path "$one"
says_on_stderr "  red  ding  title  end"
! grep -q "$(printf '[\033\a]')" "$place/last/err" || fail "control characters were printed"
