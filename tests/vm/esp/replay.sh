# shellcheck shell=bash disable=SC2154
# run replay: the log, its states, and real boots of some. Sourced by run.

code_of_firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
variables_of_firmware=/usr/share/OVMF/OVMF_VARS_4M.fd
[ -e "$code_of_firmware" ] && [ -e "$esp_loader" ] || give_up "not installed: ovmf, systemd-boot-efi; tools/setup installs them"

# make_logs: the guest with the disks, and what was written to each of them
make_logs() {
    local disk options=()

    gcc -static -Os -s -o "$place/which" "$esp/inside/which.c"
    mkdir "$place/tree"
    "$esp/systems" "$place/tree" boots "$layer/vmlinuz" "$place/which" 1 2 3 4 > "$place/boots.json"
    # Where nothing is really booted, kernels are small: what is emulated hashes slowly.
    head -c 60000 /dev/urandom > "$place/kernel"
    "$esp/systems" "$place/tree" small "$place/kernel" "$place/which" 1 2 3 4 > "$place/small.json"
    # The smallest FAT32 that there can be, in clusters of 512 bytes and, as large partitions have them, of 4 KiB
    esp_disk "$place/small" 1 36
    esp_disk "$place/large" 8 300
    esp_disk "$place/nixos" 8 300
    esp_initrd "$layer" "$place/tree" '. /inside/log' "$place/initrd"
    rm -rf "$place/tree"
    for disk in small large nixos; do
        cp --sparse=always "$place/$disk" "$place/$disk.disk"
        : > "$place/$disk.writes"
        options+=(-blockdev "driver=file,node-name=disk-$disk,filename=$place/$disk.disk"
            -blockdev "driver=file,node-name=log-$disk,filename=$place/$disk.writes"
            -blockdev "driver=blklogwrites,node-name=logged-$disk,file=disk-$disk,log=log-$disk,log-sector-size=512"
            -device "virtio-blk-pci,drive=logged-$disk")
    done
    if ! esp_guest "$layer" "$place/initrd" "$place/console" 600 "${options[@]}"; then
        tail -n 40 "$place/console" "$place/console.qemu" >&2
        give_up "the guest did not do its job; its console is above"
    fi
    rm "$place"/*.disk "$place/initrd"
}

# really_boots IMAGE: print the generation that OVMF and systemd-boot start from it, or "nothing"
really_boots() {
    local image=$1 end=$((SECONDS + ${ENACT_TEST_BOOT_LIMIT:-180})) qemu said

    # The last is all that the loader's menu has where there is no entry.
    local words='RUNS generation [0-9]+|Error preparing initrd|Error loading|BdsDxe: No bootable|Shell>|Reboot Into Firmware'

    cp "$variables_of_firmware" "$image.variables"
    : > "$image.console"
    qemu-system-x86_64 -accel "$accel" -cpu max -m 512 -nodefaults -display none -no-reboot \
        -drive "if=pflash,format=raw,readonly=on,file=$code_of_firmware" -drive "if=pflash,format=raw,file=$image.variables" \
        -chardev "file,id=console,path=$image.console" -serial chardev:console \
        -drive "file=$image,if=virtio,format=raw" < /dev/null > "$image.qemu" 2>&1 &
    qemu=$!
    while :; do
        said=$(grep -aoE "$words" "$image.console" | head -n 1) || true
        if [ -n "$said" ] || [ "$SECONDS" -gt "$end" ] || ! kill -0 "$qemu" 2> /dev/null; then
            break
        fi
        sleep 0.5
    done
    kill "$qemu" 2> /dev/null || true
    wait "$qemu" 2> /dev/null || true
    case $said in
    RUNS*) printf '%s\n' "${said##* }" ;;
    '') printf 'nobody knows what\n' ;;
    *) printf 'nothing\n' ;;
    esac
}

# boot_some: one state of each kind, so many of them; first those that differ in what boots
boot_some() {
    local image order expected title n=0 wrong=0 got

    while IFS=$'\t' read -r image order expected title; do
        n=$((n + 1))
        [ "$n" -le "$boots" ] || break
        got=$(really_boots "$image")
        printf 'booted: %s (%s order): %s, and %s did\n' "$title" "$order" "$expected" "$got"
        [ "$got" = "$expected" ] || wrong=$((wrong + 1))
    done < <(jq -r '[group_by([.order, .outcome])[] | to_entries[]] | sort_by(.key, .value.outcome != "nothing", .value.order) | .[].value |
        [.image, .order, (.boots // "nothing" | tostring),
         "\(.disk) \(.case), \(if .look == 0 then "at the next start" else "after fsck" end), \(.why)"] | @tsv' "$place/kept/kinds.json")
    [ "$wrong" -eq 0 ] || say "$wrong times the firmware started something else than it was expected to"
    return $((wrong > 0))
}

say "seed $seed"
make_logs
mkdir "$place/kept" "$place/work"
code=0
"$esp/replay" --torn "$torn" --seed "$seed" --jobs "$jobs" --only "$only" --directory "$place/work" --keep "$place/kept" \
    "$place/small.json:$place/small:$place/small.writes" "$place/boots.json:$place/large:$place/large.writes" \
    "$place/boots.json:$place/nixos:$place/nixos.writes" || code=1
boot_some || code=1
exit "$code"
