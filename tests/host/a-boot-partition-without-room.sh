# Kernel and initrd do not fit on the boot partition: the switch says so with the numbers before
# anything is touched, and works when a generation that is not needed was deleted. What is only tested
# needs no room there.

needs enact
host web

# system NAME: with a kernel of its own, of 3 MiB
system() {
    configuration web "$1" << NIX
{ pkgs, ... }: {
  boot.loader.systemd-boot.enable = true;
  boot.kernelFile = "\${pkgs.runCommand "linux-$1" { } "mkdir \$out; head -c 3145728 /dev/urandom > \$out/bzImage"}/bzImage";
  environment.etc.motto.text = "$1";
}
NIX
}

kernels() {
    ask web sh -c 'ls /boot/EFI/nixos | grep -c "linux-[ot][a-z]*-bzImage"'
}

on web sh -c 'mkdir -p /boot && mount -t tmpfs -o size=8m tmpfs /boot'
eventually 30 active web boot.mount
for name in one two three; do
    system "$name"
done
three=$(built web three)

step "there is room for two"
on web enact switch --flake /root/one
on web enact switch --flake /root/two
is "$(kernels)" 2
two=$(running_of web)

step "and not for a third"
snapshot web
for verb in switch boot; do
    refused web 1 enact "$verb" --store-path "$three"
    says "The boot partition '/boot' has room for " " KiB, and the kernel and initrd of '$three' need " "Nothing was changed" "enact generations delete"
    says_not "activating"
    unchanged web
done
is "$(kernels)" 2
on web enact test --store-path "$three"
on web enact test --store-path "$two"

step "a system whose kernel is there needs none"
on web enact switch --store-path "$two"

step "overruled, the installer fills it and fails, and that of the old system after it; with room again all is well"
refused web 5 env NIXOS_NO_CHECK=1 enact switch --store-path "$three"
says "boot loader installer" "'$two' runs again, but it may not be the boot default"
on web sh -c 'rm /boot/EFI/nixos/*.tmp'
on web enact switch --store-path "$two"
is "$(running_of web)" "$two"
is "$(profile_of web)" "$two"
is "$(kernels)" 2

step "with one generation less it fits"
# A rollback leads to the one before, with the same kernel
on web sed -i 's/motto.text = "two"/motto.text = "too"/' /root/two/host.nix
on web enact switch --flake /root/two
on web enact generations delete 2
is "$(kernels)" 1
on web enact switch --store-path "$three"
is "$(kernels)" 2
is "$(running_of web)" "$three"
is "$(profile_of web)" "$three"
at_its_end web
