# Variables of the lines above: boot timeout limit profiles.
#
# limine.conf as NixOS' installer for limine writes it: the highest generation is the default, whichever system it is
# called with.
set -euo pipefail
PATH=/usr/bin:/bin

mkdir -p "$boot/limine/kernels" 2>/dev/null || {
  echo "Warning: cannot write to $boot, so no boot menu was made." >&2
  exit 0
}

payload() { # FILE of a toplevel, VARIABLE for its path as limine has it
  local source name
  source=$(readlink -f "$1")
  name=${source#/nix/store/}
  name=${name//\//-}
  [[ -e $boot/limine/kernels/$name ]] || {
    cp "$source" "$boot/limine/kernels/$name.tmp"
    mv -fT "$boot/limine/kernels/$name.tmp" "$boot/limine/kernels/$name"
  }
  printf -v "$2" %s "boot():/limine/kernels/$name#$(b2sum "$boot/limine/kernels/$name" | cut -d ' ' -f 1)"
}

new=$boot/limine/limine.conf.tmp
{
  printf 'timeout: %s\neditor_enabled: no\ndefault_entry: 2\n\n# NixOS boot entries start here\n/+NixOS default profile\n' "$timeout"
  for link in $(ls -d "$profiles"/system-*-link 2>/dev/null | sort -t- -k2,2nr | head -n "$limit"); do
    number=${link%-link}
    toplevel=$(readlink -f "$link")
    [[ -e $toplevel/kernel && -e $toplevel/initrd ]] || continue
    payload "$toplevel/kernel" kernel
    payload "$toplevel/initrd" initrd
    printf '//Generation %s\nprotocol: linux\ncomment: %s\nkernel_path: %s\ncmdline: init=%s/init %s\nmodule_path: %s\n' \
      "${number##*-}" "$(cat "$toplevel/nixos-version")" "$kernel" "$toplevel" "$(cat "$toplevel/kernel-params")" "$initrd"
  done
  printf '# NixOS boot entries end here\n'
} > "$new"
mv -fT "$new" "$boot/limine/limine.conf"

for file in "$boot"/limine/kernels/*; do
  grep -qF "/limine/kernels/${file##*/}#" "$boot/limine/limine.conf" || rm -f "$file"
done
