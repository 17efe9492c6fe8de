# Every block write and flush of a row of boot menu updates is logged; in each state that a power cut can leave of them
# a whole system boots, at the next start and at that after it. The order of NixOS' own builder is caught at it.
# It may take 900 s.

needs enact
needs mkfs.vfat
needs mcopy
needs gcc
[ -e /usr/share/OVMF/OVMF_CODE_4M.fd ] || skip "needs OVMF"
[ -e /usr/lib/systemd/boot/efi/systemd-bootx64.efi ] || skip "needs systemd-boot"

mkdir "$place/work"
mount -t tmpfs tmpfs "$place/work"
"$checkout/tests/vm/esp/run" --directory "$place/work" replay
