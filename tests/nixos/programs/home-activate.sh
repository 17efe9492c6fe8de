# Body of a home's `activate': what the steps below call. Set above: newGenPath wantedUser wantedHome.
# A stand-in for Home Manager's script: same interface and same state on disk, fewer cases.
set -eu -o pipefail

hmDriverVersion=0
while (($#)); do
  case $1 in
    --driver-version) hmDriverVersion=${2-}; shift 2 || true ;;
    *) echo "Unknown option: $1" >&2; exit 1 ;;
  esac
done
case $hmDriverVersion in
  0 | 1) ;;
  *) echo "Unknown driver version: '$hmDriverVersion'" >&2; exit 1 ;;
esac

: "${HOME:?is not set}" "${USER:?is not set}"
if [[ ! -v SKIP_SANITY_CHECKS ]]; then
  [[ $USER == "$wantedUser" ]] || { echo "Error: USER is set to \"$USER\" but we expect \"$wantedUser\"" >&2; exit 1; }
  [[ $HOME -ef $wantedHome ]] || { echo "Error: HOME is set to \"$HOME\" but we expect \"$wantedHome\"" >&2; exit 1; }
fi
cd "$HOME"

run() { # [--quiet|--silence] COMMAND…: only said, in a dry run
  local quiet=
  case $1 in --quiet | --silence) quiet=1; shift ;; esac
  if [[ -v DRY_RUN ]]; then
    echo "$@"
  elif [[ -n $quiet ]]; then
    "$@" >/dev/null
  else
    "$@"
  fi
}
verboseEcho() { [[ ! -v VERBOSE ]] || echo "$@"; }
errorEcho() { echo "$@" >&2; }
warnEcho() { echo "$@" >&2; }
noteEcho() { echo "$@"; }

stateDir=${NIX_STATE_DIR:-/nix/var/nix}
storeDir=${newGenPath%/*}
hmStatePath=${XDG_STATE_HOME:-$HOME/.local/state}/home-manager
newGenGcPath=$hmStatePath/gcroots/new-home
currentGenGcPath=$hmStatePath/gcroots/current-home
profiles=${XDG_STATE_HOME:-$HOME/.local/state}/nix/profiles
[[ -d $profiles || ! -d $stateDir/profiles/per-user/$USER ]] || profiles=$stateDir/profiles/per-user/$USER
genProfilePath=$profiles/home-manager

oldGenPath=
[[ ! -L $currentGenGcPath ]] || oldGenPath=$(readlink -e "$currentGenGcPath" || true)
[[ -n $oldGenPath ]] || unset oldGenPath

root() { # LINK: keep the new generation from the garbage collector
  run mkdir -p "$(dirname "$1")"
  run --quiet nix-store --realise "$newGenPath" --add-root "$1"
}
trap '[[ -v DRY_RUN ]] || rm -f "$newGenGcPath"' EXIT
root "$newGenGcPath"

leaves() { # GENERATION: its files, relative to the home
  find -H "$1/home-files" ! -type d -printf '%P\n'
}
is_ours() {
  [[ -L $1 && $(readlink "$1") == "$storeDir"/*-home-manager-files/* ]]
}

check_link_targets() {
  local rel bad=
  while IFS= read -r rel; do
    local target=$HOME/$rel
    [[ -e $target ]] && ! is_ours "$target" || continue
    if cmp -s "$newGenPath/home-files/$rel" "$target"; then
      warnEcho "Existing file '$target' will be skipped since it is the same"
    elif [[ ! -L $target && -n ${HOME_MANAGER_BACKUP_COMMAND-} ]]; then
      :
    elif [[ ! -L $target && -n ${HOME_MANAGER_BACKUP_EXT-} ]]; then
      [[ ! -e $target.$HOME_MANAGER_BACKUP_EXT || -n ${HOME_MANAGER_BACKUP_OVERWRITE-} ]] || {
        errorEcho "Existing file '$target.$HOME_MANAGER_BACKUP_EXT' would be clobbered by backing up '$target'"
        bad=1
      }
    else
      errorEcho "Existing file '$target' would be clobbered"
      bad=1
    fi
  done < <(leaves "$newGenPath")
  [[ -z $bad ]] || exit 1
}

set_profile() {
  [[ $hmDriverVersion == 0 ]] || return 0
  [[ ${oldGenPath-} != "$newGenPath" ]] || { echo 'No change so reusing latest profile generation'; return 0; }
  run mkdir -p "$profiles"
  run nix-env --profile "$genProfilePath" --set "$newGenPath"
}

install_packages() {
  run --quiet nix-env --install "$(readlink -f "$newGenPath/home-path")"
}

link_generation() {
  local rel target files
  files=$(readlink -e "$newGenPath/home-files")
  if [[ -v oldGenPath && $oldGenPath != "$newGenPath" ]]; then
    while IFS= read -r rel; do
      target=$HOME/$rel
      [[ ! -e $files/$rel && ! -L $files/$rel ]] || continue
      if is_ours "$target"; then
        verboseEcho "Removing $target"
        run rm "$target"
        run rmdir --ignore-fail-on-non-empty --parents "$(dirname "$rel")" 2>/dev/null || true
      elif [[ -e $target ]]; then
        warnEcho "Path '$target' does not link into a Home Manager generation. Skipping delete."
      fi
    done < <(leaves "$oldGenPath")
  fi
  while IFS= read -r rel; do
    target=$HOME/$rel
    [[ ! -L $target || $(readlink "$target") != "$files/$rel" ]] || continue
    if [[ -e $target && ! -L $target ]]; then
      if [[ -n ${HOME_MANAGER_BACKUP_COMMAND-} ]]; then
        run $HOME_MANAGER_BACKUP_COMMAND "$target"
      elif [[ -n ${HOME_MANAGER_BACKUP_EXT-} ]]; then
        run mv "$target" "$target.$HOME_MANAGER_BACKUP_EXT"
      else
        continue    # the same, says the check
      fi
    fi
    run mkdir -p "$(dirname "$target")"
    run ln -sfnT "$files/$rel" "$target"
  done < <(leaves "$newGenPath")
}

# Plain systemctl instead of sd-switch: what changed is restarted if it runs, what is gone stopped, and
# the targets bring up what is new.
reload_systemd() {
  local state unit new=$newGenPath/home-files/.config/systemd/user old=/nonexistent
  export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
  state=$(systemctl --user is-system-running 2>/dev/null) || true
  if [[ $state != running && $state != degraded ]]; then
    echo 'User systemd daemon not running. Skipping reload.'
    return 0
  fi
  [[ ! -v oldGenPath ]] || old=$oldGenPath/home-files/.config/systemd/user

  for unit in "$old"/*.*; do
    [[ -f $unit && ! -e $new/${unit##*/} ]] || continue
    run systemctl --user stop "${unit##*/}"
  done
  run systemctl --user daemon-reload
  for unit in "$new"/*.service "$new"/*.timer; do
    [[ -f $unit && -f $old/${unit##*/} ]] && ! cmp -s "$unit" "$old/${unit##*/}" || continue
    run systemctl --user try-restart "${unit##*/}"
  done
  run systemctl --user start default.target timers.target sockets.target paths.target
}

# Only now is it the generation that later runs compare with.
finish() {
  root "$currentGenGcPath"
}
