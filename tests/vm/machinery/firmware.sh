# shellcheck shell=bash
# What a guest has that starts as machines do: EDK2's firmware with variables of its own, a disk with
# an EFI system partition, systemd-boot on it, and kernel and initial RAM disk in the store, as NixOS has them.
#
# Callers have sourced guest.sh.

firmware_code=/usr/share/OVMF/OVMF_CODE_4M.fd
firmware_variables=/usr/share/OVMF/OVMF_VARS_4M.fd
firmware_loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi

esp_mib=128     # its size, and that of the extended boot partition
esp_first_mib=1 # where it begins on its disk; the other one follows
export MTOOLS_SKIP_CHECK=1

# firmware_module LAYOUT: what each system of such a guest has
firmware_module() {
    local esp=/boot extended=''

    if [ "$1" = xbootldr ]; then
        esp=/efi
        extended='fileSystems."/boot" = { device = "/dev/disk/by-partlabel/xbootldr"; fsType = "vfat"; options = [ "umask=0077" ]; };
  programs.enact.bootMenu.extendedMountPoint = "/boot";'
    fi
    cat << END
{ lib, pkgs, ... }:
let
  # Where the disk of the guest was made; the name is that of NixOS' own.
  given = name: file: pkgs.runCommand name { } ''
    mkdir "\$out"
    cp /usr/share/enact-tests/guest/\${file} "\$out/\${file}"
  '';
in
{
  programs.enact.enable = true;
  programs.enact.bootMenu.enable = true;
  # Where all is emulated, and much else runs, a start takes its time.
  programs.enact.trialBoot.deadline = lib.mkDefault 3000;
  boot.kernelFile = "\${given "linux-debian" "bzImage"}/bzImage";
  boot.initrdFile = "\${given "initrd-linux-debian" "initrd"}/initrd";
  boot.kernelParams = [ $(printf '"%s" ' $guest_parameters)];
  boot.loader.efi.efiSysMountPoint = "$esp";
  fileSystems."$esp" = { device = "/dev/disk/by-partlabel/esp"; fsType = "vfat"; options = [ "umask=0077" ]; };
  $extended
}
END
}

# usual_systems HOST: those that the scenarios share, so that they also share a machine that has booted the first
usual_systems() {
    system "$1" one << 'NIX'
{ environment.etc.motto.text = "one"; }
NIX
    system "$1" two << 'NIX'
{
  environment.etc.motto.text = "two";
  specialisation.calm.configuration.boot.kernelParams = [ "calm" ];
}
NIX
    # Held where a scenario says so: /usr/local/bin/hold-here
    system "$1" held << 'NIX'
{
  environment.etc.motto.text = "held";
  system.activationScripts.hold = "/usr/local/bin/hold-here";
  programs.enact.judge.window = 20;
}
NIX
    # With an initial RAM disk that no other has
    system "$1" apart << 'NIX'
{ lib, pkgs, ... }: {
  boot.initrdFile = lib.mkForce "${pkgs.runCommand "initrd-apart" { } ''
    mkdir "$out"
    { cat /usr/share/enact-tests/guest/initrd; head -c 512 /dev/zero; } > "$out/initrd"
  ''}/initrd";
}
NIX
    system "$1" truncated << 'NIX'
{ lib, pkgs, ... }: {
  boot.kernelFile = lib.mkForce "${pkgs.runCommand "linux-truncated" { } ''
    mkdir "$out"
    head -c 1000000 /usr/share/enact-tests/guest/bzImage > "$out/bzImage"
  ''}/bzImage";
}
NIX
    # It hangs before systemd runs.
    system "$1" early << 'NIX'
{ system.activationScripts.hang = "[ -e /run/systemd/system ] || { echo hangs here; while :; do sleep 1; done; }"; }
NIX
    # It hangs after that: its start is never finished.
    system "$1" late << 'NIX'
{
  programs.enact.trialBoot.deadline = 60;
  systemd.services.hang = {
    wantedBy = [ "multi-user.target" ];
    before = [ "multi-user.target" ];
    serviceConfig = { Type = "oneshot"; ExecStart = "/bin/sleep infinity"; TimeoutStartSec = "infinity"; };
  };
}
NIX
    # It boots and is not well.
    system "$1" bad << 'NIX'
{ systemd.services.broken = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/false"; }; }
NIX
}

# firmware_into ROOT KERNEL-LAYER INITRD: the files that the module above takes into the store, and the checker that
# NixOS has for such partitions
firmware_into() {
    mkdir -p "$1/usr/share/enact-tests/guest" "$1/boot" "$1/efi"
    cp "$2/vmlinuz" "$1/usr/share/enact-tests/guest/bzImage"
    cp "$3" "$1/usr/share/enact-tests/guest/initrd"
    cp "$(command -v fsck.fat)" "$1/usr/sbin/fsck.fat"
    ln -sf fsck.fat "$1/usr/sbin/fsck.vfat"
}

# firmware_disk ROOT SYSTEM LAYOUT FILE: a disk with systemd-boot and one entry, for that system, as NixOS' own
# installer writes it
firmware_disk() {
    local root=$1 system=$2 layout=$3 file=$4 part payload kernel initrd
    kernel=$(firmware_payload "$root$system/kernel")
    initrd=$(firmware_payload "$root$system/initrd")

    truncate --size=$((esp_first_mib + 2 * esp_mib + 1))M "$file"
    {
        printf 'label: gpt\nunit: sectors\n'
        printf 'start=%s, size=%s, type=uefi, name=esp\n' $((esp_first_mib * 2048)) $((esp_mib * 2048))
        # The type of the Boot Loader Specification
        [ "$layout" != xbootldr ] || printf 'start=%s, size=%s, type=BC13C2FF-59E6-4262-A352-B275FD6F7172, name=xbootldr\n' \
            $(((esp_first_mib + esp_mib) * 2048)) $((esp_mib * 2048))
    } | sfdisk --quiet "$file" || return 1

    part=$(firmware_partition "$file" esp)
    mkfs.vfat -F 32 -n ESP --offset=$((esp_first_mib * 2048)) "$file" $((esp_mib * 1024)) > /dev/null || return 1
    mmd -i "$part" ::EFI ::EFI/BOOT ::EFI/systemd ::loader || return 1
    mcopy -i "$part" "$firmware_loader" ::EFI/BOOT/BOOTX64.EFI || return 1
    mcopy -i "$part" "$firmware_loader" ::EFI/systemd/systemd-bootx64.efi || return 1
    # The menu is shown, as NixOS does, and as large as a serial console is.
    printf 'timeout 3\ndefault nixos-generation-1.conf\nconsole-mode 0\n' | mcopy -i "$part" - ::loader/loader.conf

    if [ "$layout" = xbootldr ]; then
        part=$(firmware_partition "$file" xbootldr)
        mkfs.vfat -F 32 -n XBOOTLDR --offset=$(((esp_first_mib + esp_mib) * 2048)) "$file" $((esp_mib * 1024)) \
            > /dev/null || return 1
        mmd -i "$part" ::EFI ::loader || return 1
    fi
    mmd -i "$part" ::EFI/nixos ::loader/entries || return 1
    for payload in kernel initrd; do
        mcopy -i "$part" "$root$(readlink "$root$system/$payload")" "::${!payload}" || return 1
    done
    printf '%s\n' 'title NixOS' 'sort-key nixos' 'version Generation 1 24.11-tests, built on 2024-01-01' \
        "linux $kernel" "initrd $initrd" "options init=$system/init $(cat "$root$system/kernel-params")" |
        mcopy -i "$part" - ::loader/entries/nixos-generation-1.conf
}

# firmware_payload LINK: what NixOS calls that file of the store there
firmware_payload() {
    readlink "$1" | sed 's|^/nix/store/|/EFI/nixos/|; s|/\([^/]*\)$|-\1.efi|'
}

# firmware_partition DISK esp|xbootldr: as mtools' option -i wants it
firmware_partition() {
    case $2 in
    esp) printf '%s@@%sM' "$1" "$esp_first_mib" ;;
    xbootldr) printf '%s@@%sM' "$1" $((esp_first_mib + esp_mib)) ;;
    esac
}
