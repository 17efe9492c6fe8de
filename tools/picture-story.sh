# shellcheck shell=bash
# The session of tools/picture, in the words of tests/host/lib.sh: a service of examples/fleet is changed so that it ends
# as soon as it starts.

columns=100
session=$place/session

# types COMMAND...: at a terminal, in /root/fleet; all that comes out of it is kept
types() {
    printf '\033[1m[root@web:~/fleet]#\033[0m %s\r\n' "$*" >> "$session"
    (enter web env --chdir=/root/fleet TERM=xterm-256color COLUMNS=$columns \
        script --quiet --return --command "stty cols $columns rows 50; $*" /dev/null < /dev/null >> "$session") || true
}

host web
cp -r "$checkout/examples/fleet" "$place/hosts/web/root/root/fleet"
write web /root/fleet/hosts/web/hardware.nix << NIX
{ nixpkgs.hostPlatform = "$(uname -m)-linux"; }
NIX
lock_offline web /root/fleet
on web enact switch --flake /root/fleet#web
on web sed -i 's/Hello from enact!/Good morning!/' /root/fleet/hosts/web/greeter.nix

types enact plan --flake .#web
types enact switch --flake .#web
on web sed -i 's/exec sleep infinity/exit 1/' /root/fleet/hosts/web/greeter.nix
types enact switch --flake .#web

/usr/bin/python3 "$checkout/tools/picture-of" "$columns" < "$session" > "$checkout/docs/session.svg"
printf 'picture: docs/session.svg\n'
