# shellcheck shell=bash
# What a guest is made of: Debian's kernel, kept as one more layer in the cache of tests/host; an
# initial RAM disk that finds the disk and the network; a disk with the file system of a host.
#
# Callers set what tests/host/machinery/layers.sh wants, and have sourced it.

cache=${cache:-${ENACT_TEST_CACHE:-/var/cache/enact-test-hosts}}

kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2> /dev/null | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# kernel_layer: make the layer with the kernel and its modules if it is not there, and print its path
kernel_layer() {
    local package layer new

    package=$(kernel_package)
    if [ -z "$package" ]; then
        debian_sources > /dev/null || return 1
        package=$(kernel_package)
    fi
    if [ -z "$package" ]; then
        layers_say "this machine's apt knows no linux-image-cloud-amd64"
        return 1
    fi
    layer=$cache/kernel-$package
    mkdir -p "$cache"
    (
        flock 9
        [ ! -e "$layer" ] || exit 0
        new=$(mktemp -d "$layer.new.XXXXXX")
        chmod 755 "$new"
        # Below usr, as /lib is a link there.
        if ! (cd "$new" && apt-get download --quiet "$package" && dpkg-deb --extract ./*.deb all &&
            mkdir -p root/usr/lib && mv all/lib/modules root/usr/lib/ && mv all/boot/vmlinuz-* vmlinuz &&
            rm -rf all ./*.deb) > "$new/log" 2>&1; then
            tail -n 20 "$new/log" >&2
            layers_say "the kernel could not be fetched; its log's end is above"
            rm -rf --one-file-system -- "$new"
            exit 1
        fi
        mv -T "$new" "$layer"
    ) 9> "$cache/lock" || return 1
    printf '%s\n' "$layer"
}

# In this order, as there is nothing that would know what needs what
guest_modules=(virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk failover
    net_failover virtio_net)

# The serial number of the disk of a guest that is only to say what it would run
guest_asks=says-what-runs

# guest_initrd KERNEL-LAYER ADDRESS FILE: it runs what init= names, or else the init of the system's profile, and says
# so. The network stands before systemd does, so that no unit is needed for it. Where the disk says so, nothing is run:
# which system it would have been is all that is asked.
guest_initrd() {
    local layer=$1 address=$2 file=$3 tree=$3.tree module

    mkdir -p "$tree"/{bin,modules,proc,sys,dev,root}
    cp "$(command -v busybox)" "$tree/bin/busybox"
    for module in "${guest_modules[@]}"; do
        find "$layer/root/usr/lib/modules" -name "$module.ko" -exec cp {} "$tree/modules/" \;
    done
    cat > "$tree/init" << END
#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
exec < /dev/console > /dev/console 2>&1
init=/nix/var/nix/profiles/system/init
for word in \$(busybox cat /proc/cmdline); do
    case \$word in
    init=*) init=\${word#init=} ;;
    esac
done
for module in ${guest_modules[*]}; do
    busybox insmod /modules/\$module.ko
done
while [ ! -b /dev/vda ]; do :; done
serial=\$(busybox cat /sys/block/vda/serial)
busybox mount -t ext4 /dev/vda /root
if [ "\$serial" = "$guest_asks" ] && [ -x "/root\$init" ]; then
    echo "test: it would be \$init"
    busybox umount /root
    busybox poweroff -f
fi
echo "test: it is \$init"
busybox ip link set lo up
busybox ip address add $address/24 dev eth0
busybox ip link set eth0 up
# The system's init writes there before systemd runs, which else would lay its own over it.
busybox mount -t tmpfs -o mode=0755 tmpfs /root/run
busybox ln -s /proc/self/fd /dev/fd # for the shell of an activation script
for place in proc sys dev; do
    busybox mount --move /\$place /root/\$place
done
exec busybox switch_root /root "\$init"
END
    chmod 755 "$tree/init"
    (cd "$tree" && find . | busybox cpio -o -H newc 2> /dev/null) > "$file"
    rm -rf "$tree"
}

# guest_door ROOT DIR: sshd, which systemd starts early and which no system of enact's knows; DIR has the keys
guest_door() {
    local root=$1 dir=$2 units=$1/usr/lib/systemd/system

    [ -e "$dir/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
    [ -e "$dir/host-key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/host-key"
    mkdir -p "$root/etc/test-door" "$units/multi-user.target.wants"
    cp "$dir/key.pub" "$root/etc/test-door/authorized_keys"
    cp "$dir/host-key" "$root/etc/test-door/host-key"
    chmod 600 "$root/etc/test-door/host-key"
    printf '%s\n' 'HostKey /etc/test-door/host-key' 'AuthorizedKeysFile /etc/test-door/authorized_keys' \
        'PermitRootLogin prohibit-password' 'UsePAM no' 'StrictModes no' 'MaxSessions 100' > "$root/etc/test-door/config"
    # It outlives emergency mode and the like, and a shutdown for as long as it can.
    printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'IgnoreOnIsolate=yes' '[Service]' \
        'RuntimeDirectory=sshd' 'ExecStart=/usr/sbin/sshd -D -e -f /etc/test-door/config' > "$units/test-door.service"
    ln -sf ../test-door.service "$units/multi-user.target.wants/"
}

# guest_trim ROOT: without what nobody asks for, and what takes its time where everything is emulated
guest_trim() {
    local unit

    for unit in kmod-static-nodes.service sys-fs-fuse-connections.mount sys-kernel-config.mount \
        sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount dev-mqueue.mount \
        systemd-sysusers.service systemd-sysctl.service systemd-modules-load.service systemd-random-seed.service; do
        rm -f "$1"/usr/lib/systemd/system/*.wants/"$unit"
    done
    # Of udev's rules what disks need: the others would load a module for whatever there is, and look each thing up.
    find "$1/usr/lib/udev/rules.d" -name '*.rules' ! -name 50-udev-default.rules ! -name 60-block.rules \
        ! -name 60-persistent-storage.rules ! -name 99-systemd.rules -delete
    # It would ask for graphics and wait.
    rm -f "$1/usr/lib/systemd/system/modprobe@drm.service"
    mkdir -p "$1/usr/lib/systemd/system/systemd-logind.service.d"
    printf '[Unit]\nWants=\nWants=user.slice dbus.socket\n' > "$1/usr/lib/systemd/system/systemd-logind.service.d/test.conf"
}

# What its kernel is told: to say things here; and to believe in a timer that comes late where much else runs.
guest_parameters="console=ttyS0 no_timer_check net.ifnames=0 panic=-1 mitigations=off no5lvl quiet systemd.show_status=yes"

# guest_build ROOT HOST NAME: its flake /root/NAME, which is there, becomes the link /root/NAME-system. Not in the
# guest: what evaluates in an instant here takes half a minute there.
guest_build() {
    unshare --mount -- bash -euo pipefail -c '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        mount -t tmpfs tmpfs "$1/run"
        mount -t tmpfs tmpfs "$1/tmp"
        env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root chroot "$1" nix build \
            "path:/root/$3#nixosConfigurations.\"$2\".config.system.build.toplevel" \
            --out-link "/root/$3-system" --no-write-lock-file
        rm -rf "$1/root/.cache"' - "$@"
}

# guest_image ROOT FILE: a disk with that file system
guest_image() {
    local root=$1 file=$2

    chroot "$root" depmod "$(basename "$root"/usr/lib/modules/*)"
    truncate --size=3G "$file"
    mkfs.ext4 -q -F -L root -E lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0 -d "$root" "$file"
}
