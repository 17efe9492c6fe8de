# `sudo enact` evaluates and builds as who called sudo, with their settings, and leaves nothing of root's in their home;
# what belongs to root is evaluated as root. --elevate says by which program a plain user becomes root.

needs enact
host web

# flake DIRECTORY N: that says whose evaluation it was
flake() {
    configuration web flake << NIX
{ systemd.services.greeter = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep $2"; };
  environment.etc.evaluated-by.text = builtins.getEnv "USER" + " at " + builtins.getEnv "HOME"; }
NIX
    on web sh -c "rm -rf $1; cp -r /root/flake $1"
}

# foreign: files in alice's home that are not hers
foreign() {
    ask web find /home/alice /run/user/1000 -xdev ! -user alice ! -path '*/systemd/*' 2> /dev/null || true
}

step "who may not ask Nix' daemon: as root, for nobody else can build"
flake /home/alice/flake 1000
on web chown -R alice: /home/alice/flake
on alice@web sudo enact switch --impure --flake /home/alice/flake#web
[[ $(contents web /etc/evaluated-by) == "root at "* ]] || fail "it was evaluated by $(contents web /etc/evaluated-by)"
on web usermod -aG nix-users alice

step "alice's flake, by sudo: as alice"
flake /home/alice/flake 1001
on web chown -R alice: /home/alice/flake
on alice@web sh -c 'cd ~/flake && git init -q && git add .'
before=$(foreign)
on alice@web sudo enact switch --impure --flake /home/alice/flake#web
says "done:"
is "$(contents web /etc/evaluated-by)" "alice at /home/alice"
is "$(foreign)" "$before" "files that are not alice's"
is "$(ask web find /home/alice /run/user -name result)" "" "links that are left"
on alice@web sudo enact build --impure --flake /home/alice/flake#web --out-link /home/alice/mine
is "$(ask web stat -c %U /home/alice/mine)" alice
on alice@web sudo enact plan --impure --flake /home/alice/flake#web
on alice@web sudo enact dry-build --impure --flake /home/alice/flake#web
says "all of it is there already"
is "$(foreign)" "$before" "files that are not alice's"

on alice@web sudo sh -c 'cd /root && enact build --impure --flake /home/alice/flake#web'
is "$(ask web stat -c %U /root/result)" root "whose link in root's home it is"

step "root's flake: as root"
flake /etc/nixos 1002
on alice@web sudo enact switch --impure
says "done:"
[[ $(contents web /etc/evaluated-by) == "root at "* ]] || fail "it was evaluated by $(contents web /etc/evaluated-by)"

step "--elevate and its variable"
on alice@web enact rollback --elevate sudo
says "done:"
refused alice@web 1 enact rollback --elevate run0
says "'run0', by which to become it (--elevate or \$ENACT_ELEVATE), is not there" "Nothing was changed."
refused alice@web 1 env ENACT_ELEVATE=none enact rollback
says "nobody is to be asked for it" "Nothing was changed."
refused alice@web 2 enact rollback --elevate su
says "--elevate takes run0, sudo, doas, pkexec or none, not 'su'"
on web env ENACT_ELEVATE=none enact rollback
