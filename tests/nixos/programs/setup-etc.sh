# setup-etc TOPLEVEL/etc [DIR]: make /etc (or DIR, in tests) what the toplevel says.
#
# Links go through /etc/static, so that a single rename moves all of them to the new tree. Whatever
# was not put there by us is left alone, unless it is in the way.
set -euo pipefail

tree=$1
etc=${2:-/etc}
static=$etc/static
list=$etc/.clean         # files that are ours and yet no links through $static
declare -A owned=()
declare -A present=()    # links of ours that are there, and where each leads

replace_link() { # TARGET LINK
  ln -sfnT "$1" "$2.tmp"
  mv -fT "$2.tmp" "$2"
}

# Parents must be real directories: below a link into $static we would write to the store.
make_dir() {
  [[ $1 != "$etc" ]] || return 0
  make_dir "${1%/*}"
  if [[ -L $1 && $(readlink "$1") == "$static"/* ]]; then
    rm "$1"
  fi
  [[ -d $1 ]] || mkdir "$1"
}

# A directory where a link belongs: gone if all in it is ours, else kept beside.
clear_way() {
  [[ -d $1 && ! -L $1 ]] || return 0
  if [[ -z $(find "$1" ! -type d ! -lname "$static/*" -print -quit) ]]; then
    rm -r "$1"
  else
    echo "moving ‘$1’ aside, to ‘$1.before-nixos’..."
    mv --backup=numbered -T "$1" "$1.before-nixos"
  fi
}

replace_link "$tree" "$static"

while IFS= read -r name && IFS= read -r target; do
  if [[ ! -e $tree/$name && ! -L $tree/$name ]]; then
    echo "removing obsolete symlink ‘$etc/$name’..."
    rm "$etc/$name"
  else
    present[$name]=$target
  fi
done < <(find "$etc" -path "$etc/nixos" -prune -o -type l -lname "$static/*" -printf '%P\n%l\n')

while IFS= read -r name; do
  path=$etc/$name
  make_dir "${path%/*}"
  clear_way "$etc/$name"
  mode=symlink
  [[ ! -e $tree/$name.mode ]] || mode=$(<"$tree/$name.mode")
  case $mode in
    symlink)
      [[ -L $etc/$name && ${present[$name]-} == "$static/$name" ]] ||
        replace_link "$static/$name" "$etc/$name"
      ;;
    direct-symlink)
      replace_link "$(readlink "$tree/$name")" "$etc/$name"
      owned[$name]=1
      ;;
    *)
      cp -T "$tree/$name" "$etc/$name.tmp"
      chown "$(<"$tree/$name.uid"):$(<"$tree/$name.gid")" "$etc/$name.tmp"
      chmod "$mode" "$etc/$name.tmp"
      mv -fT "$etc/$name.tmp" "$etc/$name"
      owned[$name]=1
      ;;
  esac
done < <(find "$tree/" -mindepth 1 -type l -printf '%P\n' | sort)

if [[ -e $list ]]; then
  while IFS= read -r name; do
    if [[ -z ${owned[$name]+x} && ! -L $tree/$name && -e $etc/$name ]]; then
      echo "removing obsolete file ‘$etc/$name’..."
      rm -f "$etc/$name"
    fi
  done < "$list"
fi
((${#owned[@]} == 0)) || printf '%s\n' "${!owned[@]}" | sort > "$list.tmp"
((${#owned[@]} > 0)) || : > "$list.tmp"
mv -fT "$list.tmp" "$list"
touch "$etc/NIXOS"
