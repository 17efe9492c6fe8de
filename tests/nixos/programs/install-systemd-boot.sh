# $1: toplevel to be the default. Variables of the lines above: esp timeout limit profiles.
#
# One Type #1 entry per generation, as systemd-boot wants them. A stand-in: it copies, writes and
# removes as the real installer does, but installs no loader and asks for no real ESP.
set -euo pipefail
PATH=/usr/bin:/bin

mkdir -p "$esp/loader/entries" "$esp/EFI/nixos" 2>/dev/null || {
  echo "Warning: cannot write to $esp, so no boot entry was made." >&2
  exit 0
}

write() { # FILE, text on stdin: whole or not at all
  cat > "$1.tmp"
  mv -fT "$1.tmp" "$1"
}

payload() { # FILE of a toplevel -> its path on the ESP
  local source name
  source=$(readlink -f "$1")
  name=${source#/nix/store/}
  name=/EFI/nixos/${name//\//-}.efi
  cmp -s "$source" "$esp$name" || { cp "$source" "$esp$name.tmp"; mv -fT "$esp$name.tmp" "$esp$name"; }
  kept[$name]=1
  printf -v "$2" %s "$name"
}

entry() { # NAME TITLE VERSION TOPLEVEL
  local kernel initrd=
  payload "$4/kernel" kernel
  [[ ! -e $4/initrd ]] || payload "$4/initrd" initrd
  write "$esp/loader/entries/$1" <<END
title $2
sort-key nixos
version $3
linux $kernel
${initrd:+initrd $initrd
}options init=$4/init $(cat "$4/kernel-params")
END
  kept[/loader/entries/$1]=1
}

declare -A kept=()
default=
generations=$(cd "$profiles" 2>/dev/null && ls -d system-*-link 2>/dev/null | sort -t- -k2,2n || true)
[[ $limit == 0 ]] || generations=$(tail -n "$limit" <<<"$generations")
for link in $generations; do
  number=${link#system-}
  number=${number%-link}
  toplevel=$(readlink -f "$profiles/$link")
  [[ -e $toplevel/kernel ]] || continue
  name=nixos-generation-$number
  version="Generation $number $(cat "$toplevel/nixos-version"), built on $(date -d "@$(stat -c %Y "$profiles/$link")" +%F)"
  entry "$name.conf" NixOS "$version" "$toplevel"
  for specialisation in "$toplevel"/specialisation/*; do
    [[ -e $specialisation ]] || continue
    special=${specialisation##*/}
    entry "$name-specialisation-$special.conf" "NixOS ($special)" "$version" "$(readlink -f "$specialisation")"
    [[ $(readlink -f "$1") != "$(readlink -f "$specialisation")" ]] || default=$name-specialisation-$special.conf
  done
  [[ $(readlink -f "$1") != "$toplevel" ]] || default=$name.conf
done
[[ -n $default ]] || echo "Warning: $1 is no generation of the system profile; the default entry stays." >&2

[[ -z $default ]] || write "$esp/loader/loader.conf" <<END
timeout $timeout
default $default
console-mode keep
END

# Entries before the kernels they name.
for file in "$esp"/loader/entries/nixos* "$esp"/EFI/nixos/*; do
  [[ ! -f $file || -n ${kept[${file#"$esp"}]+x} ]] || rm -f "$file"
done
