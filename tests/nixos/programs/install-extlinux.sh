# $1: toplevel to be the default. Variables of the lines above: boot timeout limit profiles.
#
# extlinux.conf as NixOS' generic-extlinux-compatible writes it, with copies of kernels, initrds and device trees.
set -euo pipefail
PATH=/usr/bin:/bin

mkdir -p "$boot/extlinux" "$boot/nixos" 2>/dev/null || {
  echo "Warning: cannot write to $boot, so no boot menu was made." >&2
  exit 0
}

payload() { # FILE of a toplevel, VARIABLE for its name
  local source name
  source=$(readlink -f "$1")
  name=${source#/nix/store/}
  name=${name//\//-}
  [[ -e $boot/nixos/$name ]] || {
    cp -r "$source" "$boot/nixos/$name.tmp.$$"
    mv -fT "$boot/nixos/$name.tmp.$$" "$boot/nixos/$name"
  }
  printf -v "$2" %s "$name"
}

entry() { # LABEL TITLE TOPLEVEL
  local kernel initrd trees
  [[ -e $3/kernel && -e $3/initrd ]] || return 0
  payload "$3/kernel" kernel
  payload "$3/initrd" initrd
  printf '\nLABEL %s\n  MENU LABEL %s\n  LINUX ../nixos/%s\n  INITRD ../nixos/%s\n  APPEND init=%s/init %s\n' \
    "$1" "$2" "$kernel" "$initrd" "$3" "$(cat "$3/kernel-params")"
  [[ ! -d $3/dtbs ]] || { payload "$3/dtbs" trees; printf '  FDTDIR ../nixos/%s\n' "$trees"; }
}

new=$boot/extlinux/extlinux.conf.tmp.$$
{
  printf '# Generated file, all changes will be lost on nixos-rebuild!\n\nDEFAULT nixos-default\n\n'
  printf 'MENU TITLE ------------------------------------------------------------\nTIMEOUT %s\n' "$((timeout * 10))"
  entry nixos-default 'NixOS - Default' "$1"
  for link in $(ls -d "$profiles"/system-*-link 2>/dev/null | sort -t- -k2,2nr | head -n "$limit"); do
    number=${link%-link}
    number=${number##*-}
    toplevel=$(readlink -f "$link")
    entry "nixos-$number" "NixOS - Configuration $number ($(date -d "@$(stat -c %Y "$link")" '+%F %H:%M') - $(cat "$toplevel/nixos-version"))" "$toplevel"
  done
} > "$new"
mv -fT "$new" "$boot/extlinux/extlinux.conf"

for file in "$boot"/nixos/*; do
  grep -qF "../nixos/${file##*/}" "$boot/extlinux/extlinux.conf" || rm -rf "$file"
done
