# $1: toplevel, $2: action. Refuses a live switch that changes what only a reboot may change.
if [[ $2 == boot || $2 == dry-activate ]]; then
  echo "Not checking switch inhibitors (action = $2)"
  exit 0
fi
printf 'Checking switch inhibitors...'

# A JSON object of strings into an associative array; there may be no jq here.
read_inhibitors() {
  local -n into=$1
  local file=$2 text string='"(([^"\\]|\\.)*)"'
  [[ -e $file ]] || return 0
  text=$(<"$file")
  [[ $text =~ ^[[:space:]]*\{(.*)\}[[:space:]]*$ ]] || { echo " cannot parse $file"; exit 1; }
  text=${BASH_REMATCH[1]}
  while [[ $text =~ [^[:space:]] ]]; do
    [[ $text =~ ^[[:space:]]*$string[[:space:]]*:[[:space:]]*$string[[:space:]]*(,|$) ]] ||
      { echo " cannot parse $file"; exit 1; }
    into[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]}
    text=${text#"${BASH_REMATCH[0]}"}
  done
}
declare -A running=() wanted=()
read_inhibitors running /run/current-system/switch-inhibitors
read_inhibitors wanted "$1/switch-inhibitors"

changes=
for key in "${!wanted[@]}"; do
  if [[ -n ${running[$key]+x} && ${running[$key]} != "${wanted[$key]}" ]]; then
    changes+="$key : ${running[$key]} -> ${wanted[$key]}"$'\n'
  fi
done
if [[ -z $changes ]]; then
  echo ' done'
  exit 0
fi
cat <<END

There are changes to critical components of the system:

$changes
Switching into this system is not recommended.
You probably want to run 'nixos-rebuild boot' and reboot your system instead.

If you really want to switch into this configuration directly, then
you can set NIXOS_NO_CHECK=1 to ignore pre-switch checks.

WARNING: doing so might cause the switch to fail or your system to become unstable.

END
exit 1
