# The boot menu on a real FAT file system: written by NixOS' hook at each switch, whole after a power cut, damage is
# named and repaired, and what is no boot partition is refused before a byte is written.
# It may take 400 s.
# tools/check runs it.

needs enact
needs mkfs.vfat

hook=$(cat << 'NIX'
{ pkgs, ... }:
{
  boot.loader.external.enable = true;
  boot.loader.external.installHook = pkgs.writeShellScript "install-boot-menu" ''
    exec /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$1"
  '';
NIX
)
system vm one << NIX
$hook
  boot.kernelParams = [ "one" ];
}
NIX
system vm two << NIX
$hook
  boot.kernelParams = [ "two" ];
  specialisation.calm.configuration = { boot.kernelParams = [ "calm" ]; };
}
NIX
host vm
mkfs.vfat -F 32 "$place/esp" -C 65536 > "$place/mkfs.log"
# shellcheck disable=SC2016  # the guest's own
(enter vm sh -c 'cat > /dev/vdb') < "$place/esp"

mount_boot() {
    on vm mount -t vfat -o umask=0077 /dev/vdb /boot
}
# boots_next: the system that the next start would take
boots_next() {
    ask vm enact boot-menu --json | jq -r '.entries[] | select(.boots).toplevel'
}

step "without a boot partition the switch fails, and nothing was written into the folder"
on vm mkdir -p /boot
refused vm 1 /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$(path_of vm one)"
says "is not mounted"
missing vm /boot/loader

step "a switch writes the menu"
mount_boot
on vm enact switch --store-path "$(path_of vm one)"
on vm enact boot-menu verify
says "The boot menu is whole"
is "$(boots_next)" "$(path_of vm one)" "what boots next"

step "the next one adds its entries, the specialisation too, and is the default"
on vm enact switch --store-path "$(path_of vm two)"
on vm enact boot-menu verify
is "$(boots_next)" "$(path_of vm two)" "what boots next"
on vm enact boot-menu
says "calm" "complete"
is "$(ask vm enact boot-menu --json | jq -r '[.entries[] | select(.maker == "enact" and .state == "complete")] | length >= 3')" true \
    "three entries or more"

step "nothing is written again that is there"
on vm /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$(path_of vm two)"
says "0 files written, 0 removed"

step "what it said is on the disk"
power_cut vm
boot vm
mount_boot
on vm enact boot-menu verify --esp-path=/boot
says "The boot menu is whole"

step "damage is named, and repaired in place"
on vm sh -c 'set -- /boot/EFI/enact/*; echo bad > "$1"'
refused vm 1 enact boot-menu verify --esp-path=/boot
says "is damaged" "has other bytes than it was made with"
on vm /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$(path_of vm two)"
on vm enact boot-menu verify --esp-path=/boot
on vm sh -c ': > /boot/loader/loader.conf'
on vm /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$(path_of vm one)"
on vm enact boot-menu show --esp-path=/boot --json
is "$(said | jq -r '.entries[] | select(.boots).toplevel')" "$(path_of vm one)" "what boots next"

step "a read-only partition is refused"
on vm mount -o remount,ro /boot
refused vm 1 /usr/libexec/enact/enact-activate install-boot-menu --esp-path=/boot "$(path_of vm two)"
says "is mounted read-only" "Nothing was written"
