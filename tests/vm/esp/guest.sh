# shellcheck shell=bash
# The small guest in which the boot menu's writer runs alone: Debian's kernel, busybox, the writer and its
# libraries in an initial RAM disk, and a job. Sourced; callers set what tests/vm/machinery/guest.sh wants.
#
# Reads: engine and asker (the programs enact-activate and menu-request), esp (this folder), place (a directory to work in).

accel=${ENACT_TEST_ACCEL:-tcg,thread=multi}
esp_loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
# fat before vfat, and the character sets that it asks for
esp_modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk
    fat nls_cp437 nls_ascii nls_iso8859-1 vfat loop)

# esp_program TREE FILE TO: a program with the libraries that it needs
esp_program() {
    local library

    mkdir -p "$1$(dirname "$3")"
    cp "$2" "$1$3"
    ldd "$2" | sed -n 's/^\(.* => \|[[:space:]]*\)\(\/[^ ]*\) (.*/\2/p' | while IFS= read -r library; do
        mkdir -p "$1$(dirname "$library")"
        cp -nL "$library" "$1$library"
    done
}

# esp_initrd KERNEL-LAYER TREE JOB FILE: TREE has the systems already
esp_initrd() {
    local layer=$1 tree=$2 job=$3 file=$4 module

    mkdir -p "$tree"/{bin,modules,inside,proc,sys,dev,run,tmp,etc,usr/bin,var/lib}
    cp "$(command -v busybox)" "$tree/bin/busybox"
    esp_program "$tree" "$engine" /usr/libexec/enact/enact-activate
    esp_program "$tree" "$asker" /usr/libexec/enact/menu-request
    esp_program "$tree" "$(command -v strace)" /usr/bin/strace
    for module in "${esp_modules[@]}"; do
        find "$layer/root/usr/lib/modules" -name "$module.ko" -exec cp {} "$tree/modules/" \;
    done
    printf '%s\n' "${esp_modules[@]}" > "$tree/modules/order"
    printf '0123456789abcdef0123456789abcdef\n' > "$tree/etc/machine-id"
    cp "$esp/inside/"* "$tree/inside/"
    gcc -static -Os -s -o "$tree/inside/mark" "$esp/inside/mark.c" || return 1
    printf '%s\n' "$job" > "$tree/inside/job"
    cp "$esp/inside/init" "$tree/init"
    chmod 755 "$tree/init"
    (cd "$tree" && find . | busybox cpio -o -H newc 2> /dev/null) > "$file"
}

# esp_guest KERNEL-LAYER INITRD CONSOLE SECONDS OPTION...: boot it, and wait for its end
esp_guest() {
    local layer=$1 initrd=$2 console=$3 seconds=$4
    shift 4

    timeout "$seconds" qemu-system-x86_64 -accel "$accel" -cpu max -smp 2 -m 768 -nodefaults -display none -no-reboot \
        -chardev "file,id=console,path=$console" -serial chardev:console -kernel "$layer/vmlinuz" -initrd "$initrd" \
        -append "console=ttyS0 panic=-1 mitigations=off no5lvl quiet" "$@" < /dev/null > "$console.qemu" 2>&1 &&
        grep -q "^job: 0" "$console"
}

# esp_disk FILE CLUSTER-SECTORS MIB: an EFI system partition with the loader, and one MiB behind it for marks
esp_disk() {
    local file=$1 sectors=$2 mib=$3

    truncate --size="$((mib + 1))M" "$file"
    mkfs.vfat -F 32 -s "$sectors" -S 512 -n ESP -i 0badcafe "$file" "$((mib * 1024))" > "$file.log" 2>&1 || return 1
    printf 'timeout 0\nconsole-mode keep\n' > "$file.conf"
    mmd -i "$file" ::/EFI ::/EFI/BOOT ::/EFI/systemd ::/loader ::/loader/entries
    mcopy -i "$file" "$esp_loader" ::/EFI/BOOT/BOOTX64.EFI
    mcopy -i "$file" "$esp_loader" ::/EFI/systemd/systemd-bootx64.efi
    mcopy -i "$file" "$file.conf" ::/loader/loader.conf
    rm "$file.log" "$file.conf"
}
