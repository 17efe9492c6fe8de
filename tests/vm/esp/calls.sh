# shellcheck shell=bash disable=SC2154
# run calls: the writer's calls are recorded, and then it meets its fate at each of the chosen ones. Sourced by run.

# call_guest NAME [POINTS]: one guest; what it has found is $place/NAME
call_guest() {
    local name=$1 code=0

    mkdir "$place/tree" "$place/tree/inside"
    cp -a "$place/systems" "$place/tree/nix"
    cp -a "$place/numbers" "$place/tree/systems"
    [ -z "${2:-}" ] || cp "$2" "$place/tree/inside/points"
    esp_initrd "$layer" "$place/tree" '. /inside/calls' "$place/initrd"
    rm -rf "$place/tree"
    truncate --size=256M "$place/$name"
    esp_guest "$layer" "$place/initrd" "$place/console" 20000 \
        -drive "file=$place/esp,if=virtio,format=raw,snapshot=on" -drive "file=$place/$name,if=virtio,format=raw" || code=1
    if [ "$code" -ne 0 ]; then
        tail -n 40 "$place/console" "$place/console.qemu" >&2
        give_up "the guest did not do its job; its console is above"
    fi
}

say "seed $seed"
# A kernel that nothing boots: what is tried here are calls
head -c 60000 /dev/urandom > "$place/kernel"
printf 'nothing boots this\n' > "$place/init"
mkdir "$place/made"
"$esp/systems" "$place/made" calls "$place/kernel" "$place/init" 1 2 3 > "$place/systems.json"
mv "$place/made/nix" "$place/systems"
mv "$place/made/systems" "$place/numbers"
esp_disk "$place/esp" 1 36

call_guest record
"$esp/calls" points "$place/record" "$points" "$seed" > "$place/points"
call_guest result "$place/points"
"$esp/calls" judge "$place/systems.json" "$place/record" "$place/result"
