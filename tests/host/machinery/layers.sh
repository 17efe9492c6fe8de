# shellcheck shell=bash
# The file system layers under a throwaway host, each made once and kept in a cache shared by all
# checkouts: a Debian with systemd and Nix, and on top of it, for each host name, the system that
# the host boots first. A layer is made under a temporary name and renamed when it is complete, so
# whatever is there under its own name is whole; its name holds a hash of all it was made from.
#
# Callers set: checkout (the source tree). They may set: ENACT_TEST_CACHE.

cache=${ENACT_TEST_CACHE:-/var/cache/enact-test-hosts}

# What a host has besides Debian's essential packages. The libraries are those that enact links.
debian_packages=(
    systemd systemd-sysv dbus dbus-broker dbus-user-session libpam-systemd udev kmod
    nix-bin nix-setup-systemd git ca-certificates
    sudo opendoas openssh-server openssh-client iproute2 iputils-ping curl
    strace procps jq
    libsystemd0 libmount1 libcjson1 libcurl4 libsodium23
)

# The machine's own, since what was built on it has to run in the hosts
debian_suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-bookworm}")
debian_max_age_days=14
base_max_age_days=2 # a new one comes with each change of tests/nixos

layers_say() {
    printf '%s\n' "hosts: $*" >&2
}

# hash_of_tree DIR: one hash over the names and contents of all files in DIR
hash_of_tree() {
    (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum --) |
        sha256sum | cut -c1-16
}

# The recipe on top of the packages: what makes the Debian NixOS-shaped. Runs as a mmdebstrap hook
# with the root directory as its argument; its text is part of the layer's hash.
debian_recipe() {
    local root=$1

    : > "$root/etc/NIXOS"
    # Debian's second name for /etc/systemd/user: users' managers would find the system's units there.
    rm -f "$root/etc/xdg/systemd/user"

    # Each host writes its own at its making; none at all would make every boot a first boot.
    : > "$root/etc/machine-id"

    # The store's units take this place; Debian's own stay in /usr/lib/systemd/system.
    rm -rf "$root/etc/systemd/system"
    ln -sf multi-user.target "$root/usr/lib/systemd/system/default.target"
    ln -sf ../nix-daemon.socket "$root/usr/lib/systemd/system/sockets.target.wants/"

    # Nothing listens to these in a container, and some take their time to find out.
    local unit
    for unit in getty.target systemd-update-utmp.service systemd-update-utmp-runlevel.service \
        systemd-firstboot.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
        systemd-ask-password-wall.path systemd-ask-password-console.path \
        systemd-machine-id-commit.service systemd-repart.service; do
        rm -f "$root"/usr/lib/systemd/system/*.wants/"$unit"
    done

    # Each reload of systemd runs them all: those that find nothing here, and never will.
    local generator
    for generator in cryptsetup hibernate-resume integritysetup rc-local run system-update sysv veritysetup; do
        rm -f "$root/usr/lib/systemd/system-generators/systemd-$generator-generator"
    done

    # build-users-group: the builds of root run as root, as there is no sandbox to need users.
    mkdir -p "$root/etc/nix"
    printf '%s\n' \
        'experimental-features = nix-command flakes' \
        'sandbox = false' \
        'substituters =' \
        'build-users-group =' \
        'trusted-users = root' \
        'flake-registry = /etc/nix/empty-registry.json' > "$root/etc/nix/nix.conf"
    printf '{"version":2,"flakes":[]}\n' > "$root/etc/nix/empty-registry.json"

    # alice may become root, but reads no journal without it; bob may nothing.
    chroot "$root" useradd --create-home --shell /bin/bash --uid 1000 alice
    chroot "$root" useradd --create-home --shell /bin/bash --uid 1001 bob
    chroot "$root" usermod --append --groups sudo alice
    printf 'alice ALL=(ALL:ALL) NOPASSWD: ALL\n' > "$root/etc/sudoers.d/alice"
    chmod 0440 "$root/etc/sudoers.d/alice"

    rm -f "$root"/etc/apt/sources.list.d/* "$root/etc/apt/apt.conf.d/99mmdebstrap" \
        "$root/etc/hostname" "$root/etc/resolv.conf"
    rm -rf "$root"/usr/share/{doc,man,locale,info}/* "$root"/var/log/*.log "$root"/var/log/apt
    printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
}

debian_key() {
    {
        printf '%s\n' "$debian_suite" "${debian_packages[@]}"
        declare -f debian_recipe
        uname -m
    } | sha256sum | cut -c1-16
}

# debian_sources: the lines of sources.list for Debian itself, as this machine's apt knows them
debian_sources() {
    local lines

    lines=$(debian_sources_known)
    if [ -z "$lines" ]; then
        layers_say "fetching the package lists"
        apt-get update > /dev/null 2>&1 || true
        lines=$(debian_sources_known)
    fi
    if [ -z "$lines" ]; then
        layers_say "this machine's apt has no source with the packages of Debian $debian_suite, or cannot reach it"
        return 1
    fi
    printf '%s\n' "$lines"
}

debian_sources_known() {
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Identifier: Packages' 'Origin: Debian' | grep -w -e "$debian_suite" \
        -e "$debian_suite-updates" -e "$debian_suite-security" || true
}

# layers_forget_old: drop what an interrupted run left, and layers that no run has used for long.
# Under the lock, so nobody is at making one.
layers_forget_old() {
    find "$cache" -mindepth 1 -maxdepth 1 -type d \
        \( -name '*.new.*' -o -name 'debian-*' -mtime "+$debian_max_age_days" \
        -o -name 'base-*' -mtime "+$base_max_age_days" \) -print0 |
        xargs -0 -r rm -rf --one-file-system --
}

# debian_layer: make the Debian layer if it is not there, and print its path
debian_layer() {
    local layer new packages

    layer=$cache/debian-$(debian_key)
    mkdir -p "$cache"
    (
        flock 9
        if [ -e "$layer" ]; then
            touch "$layer"
            exit 0
        fi
        layers_forget_old
        new=$(mktemp -d "$layer.new.XXXXXX")
        chmod 755 "$new"
        layers_say "making the Debian layer, once; about a minute"
        if ! debian_sources > "$new/sources"; then
            rm -rf --one-file-system -- "$new"
            exit 1
        fi
        apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' > "$new/aptopt" || true
        {
            printf '#!/bin/bash\nset -euo pipefail\n'
            declare -f debian_recipe
            printf 'debian_recipe "$1"\n'
        } > "$new/recipe"
        chmod +x "$new/recipe"
        packages=$(IFS=,; printf '%s' "${debian_packages[*]}")
        if ! unshare --mount -- mmdebstrap --quiet --variant=minbase --include="$packages" \
            --aptopt="$new/aptopt" --dpkgopt=force-unsafe-io \
            --customize-hook="$new/recipe" \
            "$debian_suite" "$new/root" "$new/sources" > "$new/log" 2>&1; then
            tail -n 30 "$new/log" >&2
            layers_say "the Debian layer could not be made; its log's end is above"
            rm -rf --one-file-system -- "$new"
            exit 1
        fi
        rm -f "$new/sources" "$new/aptopt" "$new/recipe"
        mv -T "$new" "$layer"
        layers_say "made ${layer##*/} in $SECONDS s"
    ) 9> "$cache/lock" || return 1
    printf '%s\n' "$layer"
}

# host_flake_into DIR NAME: the flake of host NAME, still without its host.nix
host_flake_into() {
    local dir=$1 name=$2

    mkdir -p "$dir"
    cp "$checkout/tests/host/base/base.nix" "$dir/base.nix"
    sed -e "s/@name@/$name/g" -e "s/@system@/$(uname -m)-linux/g" \
        "$checkout/tests/host/base/flake.nix" > "$dir/flake.nix"
}

# enact_flake_into DIR: enact's own flake and modules, with the enact that the host has for a package
enact_flake_into() {
    mkdir -p "$1/modules"
    cp "$checkout/flake.nix" "$1/flake.nix"
    cp "$checkout"/modules/*.nix "$1/modules/"
    cp "$checkout/tests/host/base/package.nix" "$1/modules/package.nix"
}

# base_layer NAME: make the layer that holds the first system of host NAME if it is not there, and
# print its path
base_layer() {
    local name=$1 debian layer new library=$checkout/tests/nixos

    if [ ! -e "$library/flake.nix" ]; then
        layers_say "there is no NixOS-shaped library at $library"
        return 1
    fi
    debian=$(debian_layer) || return 1
    layer=$cache/base-$({
        basename "$debian"
        hash_of_tree "$library"
        hash_of_tree "$checkout/tests/host/base"
        hash_of_tree "$checkout/modules"
        sha256sum < "$checkout/flake.nix"
        declare -f base_layer base_layer_build enact_flake_into host_flake_into
    } | sha256sum | cut -c1-16)-$name
    (
        flock 9
        if [ -e "$layer" ]; then
            touch "$layer"
            exit 0
        fi
        layers_forget_old
        new=$(mktemp -d "$layer.new.XXXXXX")
        chmod 755 "$new"
        mkdir "$new/upper" "$new/work" "$new/root"
        if ! (
            export -f base_layer_build
            host_flake_into "$new/flake" "$name"
            enact_flake_into "$new/enact"
            printf '{ }\n' > "$new/flake/host.nix"
            unshare --mount -- bash -euo pipefail -c 'base_layer_build "$@"' - \
                "$debian/root" "$new" "$library" "$name"
        ) > "$new/log" 2>&1; then
            tail -n 30 "$new/log" >&2
            layers_say "the first system of host '$name' could not be built; its log's end is above"
            rm -rf --one-file-system -- "$new"
            exit 1
        fi
        rm -rf --one-file-system -- "$new/work" "$new/root" "$new/flake" "$new/enact"
        mv -T "$new" "$layer"
    ) 9> "$cache/lock" || return 1
    printf '%s\n' "$layer"
}

# In a mount namespace of its own, so that the mounts go with it
base_layer_build() {
    local debian=$1 new=$2 library=$3 name=$4 root=$2/root dir=usr/share/enact-tests

    mount -t overlay overlay -o "lowerdir=$debian,upperdir=$new/upper,workdir=$new/work,redirect_dir=on" "$root"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/run"
    mount -t tmpfs tmpfs "$root/tmp"
    mkdir -p "$root/$dir/hosts"
    cp -rT --no-preserve=ownership "$library" "$root/$dir/nixos"
    cp -rT --no-preserve=ownership "$new/enact" "$root/$dir/enact"
    cp -rT --no-preserve=ownership "$new/flake" "$root/$dir/hosts/$name"
    env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root chroot "$root" nix build \
        "path:/$dir/hosts/$name#nixosConfigurations.\"$name\".config.system.build.toplevel" \
        --no-link --profile /nix/var/nix/profiles/system --no-write-lock-file
    rm -rf "$root/root/.cache"
}
