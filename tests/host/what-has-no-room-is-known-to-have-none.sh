# What is refused for want of room is known to have none: a loader that keeps its kernels in a folder of
# its own is left to its installer, and the kernels of another profile's generations are not taken for free.

needs enact
host web

on web sh -c 'mkdir -p /boot && mount -t tmpfs -o size=8m tmpfs /boot'
eventually 30 active web boot.mount

q="''"
# system NAME: with a kernel of its own, of 3 MiB, and an installer that is a file of the host
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  boot.loader.external = {
    enable = true;
    installHook = pkgs.writeShellScript "install" ${q}exec /usr/local/bin/install-kernels "\$1"${q};
  };
  boot.kernelFile = "\${pkgs.runCommand "linux-$1" { } "mkdir \$out; head -c 3145728 /dev/urandom > \$out/bzImage"}/bzImage";
  environment.etc.motto.text = "$1";
}
NIX
}

step "another loader's folder: the kernel is there, and twice it would not fit"
write web /usr/local/bin/install-kernels << 'SH'
#!/bin/sh
set -e
PATH=/usr/bin:/bin
mkdir -p /boot/limine/kernels
cp "$1/kernel" "/boot/limine/kernels/$(sha256sum < "$1/kernel" | cut -c1-32)"
fallocate -l 3M /boot/limine/other
SH
on web chmod +x /usr/local/bin/install-kernels
system one
on web enact switch --flake /root/one
one=$(running_of web)
on web sed -i 's/motto.text = "one"/motto.text = "other"/' /root/one/host.nix
on web enact switch --flake /root/one
is_not "$(running_of web)" "$one" "the running system"
is "$(contents web /etc/motto)" other

step "the generations of all profiles are in the menu, as systemd-boot's installer has it"
on web sh -c 'rm -r /boot/*'
write web /usr/local/bin/install-kernels << 'SH'
#!/bin/sh
set -e
PATH=/usr/bin:/bin
mkdir -p /boot/EFI/nixos
wanted=" "
for system in /nix/var/nix/profiles/system-*-link /nix/var/nix/profiles/system-profiles/*-link; do
    for file in "$system/kernel" "$system/initrd"; do
        file=$(readlink -e "$file") || continue
        name=$(echo "${file#/nix/store/}" | tr / -).efi
        wanted="$wanted$name "
        [ -e "/boot/EFI/nixos/$name" ] || cp "$file" "/boot/EFI/nixos/$name"
    done
done
for file in /boot/EFI/nixos/*; do
    case $wanted in
    *" ${file##*/} "*) ;;
    *) rm "$file" ;;
    esac
done
SH
for name in two three; do
    system "$name"
done
three=$(built web three)
on web nix-env --profile /nix/var/nix/profiles/system --delete-generations old
on web enact switch --force --flake /root/one
on web enact switch --profile-name trial --flake /root/two
is "$(ask web sh -c 'ls /boot/EFI/nixos | grep -c -e linux-one -e linux-two')" 2 "the kernels on the partition"
snapshot web
refused web 1 enact switch --store-path "$three"
says "The boot partition '/boot' has room for " "Nothing was changed"
says_not "activating"
unchanged web
at_its_end web
