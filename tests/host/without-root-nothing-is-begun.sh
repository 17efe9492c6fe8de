# Whoever cannot become root is told so at once, before a long build; whoever can is asked for a
# password before it, and once.

needs enact
host web

# A build would leave this file.
configuration web flake << 'NIX'
{ pkgs, ... }: {
  environment.etc.built.source = pkgs.runCommand "slow" { } "echo > /tmp/was-built; echo > $out";
}
NIX
on web sh -c 'cp -r /root/flake /home/bob/flake; cp -r /root/flake /home/alice/flake; chown -R bob: /home/bob; chown -R alice: /home/alice'
on web sh -c 'for user in alice bob; do usermod --append --groups nix-users "$user"; done' # Debian's nix wants it
snapshot web

for verb in switch boot test dry-activate; do
    step "bob may not use sudo: $verb"
    refused bob@web 1 enact "$verb" --flake /home/bob/flake
    says "needs root" "sudo" "Nothing was changed"
    says_not "evaluating" "building"
done
refused bob@web 1 enact rollback 1
says "root" "Nothing was changed"
missing web /tmp/was-built

step "there is nothing to become root with"
on web mkdir -p /usr/local/lib/only
on web ln -s "$(ask web sh -c 'command -v enact')" "$(ask web sh -c 'command -v nix')" "$(ask web sh -c 'command -v git')" \
    /usr/local/lib/only/
refused bob@web 1 env PATH=/usr/local/lib/only enact switch --flake /home/bob/flake
says "needs root" "run0, sudo, doas or pkexec" "Nothing was changed"
says_not "evaluating"
missing web /tmp/was-built
unchanged web

step "what needs no root works without it"
on bob@web sh -c 'cd; enact build --flake /home/bob/flake#web'
exists web /home/bob/result/activate
on bob@web enact plan --flake /home/bob/flake#web
on bob@web enact generations
on bob@web enact status
unchanged web
on web rm -f /tmp/was-built

step "the helper does not run for somebody who is not root"
refused bob@web 0 sh -c 'echo "{}" | /usr/libexec/enact/enact-activate serve'
says "NotRoot"

step "alice is asked for her password before the build"
write web /etc/sudoers.d/alice << 'END'
Defaults passwd_tries=1
alice ALL=(ALL:ALL) ALL
END
on web sed -i s/slow/slower/ /home/alice/flake/host.nix # not built yet
on web sh -c 'echo alice:open-sesame | chpasswd'
write web /home/alice/ask << 'END'
#!/bin/sh
[ ! -e /tmp/was-built ] || echo "too late" >> /tmp/asked
echo asked >> /tmp/asked
[ -e /tmp/known ] && echo open-sesame || echo wrong
END
write web /home/alice/bin/sudo << 'END'
#!/bin/sh
SUDO_ASKPASS=/home/alice/ask exec /usr/bin/sudo -A "$@"
END
on web chmod 755 /home/alice/ask /home/alice/bin/sudo
refused alice@web 1 env PATH=/home/alice/bin:/usr/bin:/bin enact switch --flake /home/alice/flake#web
says "needs root" "Nothing was changed"
says_not "evaluating"
missing web /tmp/was-built
unchanged web
on web sh -c 'rm -f /tmp/asked /tmp/was-built; touch /tmp/known'
on alice@web env PATH=/home/alice/bin:/usr/bin:/bin enact switch --flake /home/alice/flake#web
says "done:"
is "$(contents web /tmp/asked)" asked "what was asked, and when"
is "$(ask web jq -r .uid /var/lib/enact/history/"$(ask web ls -t /var/lib/enact/history | head -n 1)")" 1000

exists web /tmp/was-built

step "a failed evaluation leaves no helper behind"
write web /etc/sudoers.d/alice <<< 'alice ALL=(ALL:ALL) NOPASSWD: ALL'
refused alice@web 10 enact switch --flake /home/alice/flake#nobody
eventually 30 refused web 1 pgrep -f '^/usr/libexec/enact/enact-activate'

step "doas does as well as sudo"
write web /etc/doas.conf <<< 'permit nopass alice'
on web ln -s /usr/bin/doas /usr/local/lib/only/
on alice@web env PATH=/usr/local/lib/only enact rollback 1
says "done:"
