# shellcheck shell=bash
# The Debian packages that work on enact needs, in one place; tools/setup installs them. Sourced.

# To build, to run the unit tests and to check the form of the sources
packages_to_build=(
    gcc libc6-dev clang meson ninja-build pkg-config git python3
    libsystemd-dev libmount-dev libcjson-dev libcurl4-openssl-dev libsodium-dev libcmocka-dev libclang-rt-dev
    clang-format shellcheck
)

# To run the tests that boot hosts, and the demo
packages_to_test=(
    systemd-container mmdebstrap nix-bin iproute2 strace jq util-linux procps
    qemu-system-x86 busybox-static e2fsprogs dosfstools openssh-client
    ovmf systemd-boot-efi systemd-boot mtools fdisk
)

# packages_missing NAME...: those of them that are not installed, one a line
packages_missing() {
    local name

    for name in "$@"; do
        # shellcheck disable=SC2016  # for dpkg-query to fill in
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$name" 2> /dev/null)" = installed ] ||
            printf '%s\n' "$name"
    done
}
