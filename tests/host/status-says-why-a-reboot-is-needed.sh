# A switch brings all but what is taken at boot: status names what that is, for the system that runs and
# for the one that the next boot takes.

needs enact
host web

zero=$(running_of web)
configuration web kernel << 'NIX'
{ pkgs, ... }: {
  boot.kernelFile = "${pkgs.runCommand "other-kernel" { } "mkdir $out; echo 2 > $out/bzImage"}/bzImage";
  boot.kernelParams = [ "quiet" "debug" ];
}
NIX
kernel=$(built web kernel)
configuration web parameters << 'NIX'
{ boot.kernelParams = [ "quiet" ]; }
NIX
parameters=$(built web parameters)

# status FILTER: of its JSON
status() {
    ask bob@web enact status --json | jq -c "$1"
}

step "parameters alone advise one"
on web enact switch --store-path "$parameters"
on bob@web enact status
says "reboot advised kernel-params: comes: quiet; goes: none"
says_not "reboot needed"
is "$(status .reboot.needed)" false
is "$(status '.reboot.reasons[0] | [.what, .hard, .booted, .wanted]')" '["kernel-params",false,null,"quiet"]'

step "another kernel needs one, and is named"
on web enact switch --store-path "$kernel"
on bob@web enact status
says "reboot needed  kernel: $(ask web readlink -f "$kernel/kernel") instead of $(ask web readlink -f "$zero/kernel")"
says "kernel-params: comes: quiet debug"
says_not "initrd" "not in effect"
is "$(status .reboot.needed)" true
is "$(status '[.reboot.reasons[].what]')" '["kernel","kernel-params"]'

step "only tested: the boot default needs none, and what the running system lacks is told"
on web enact switch --store-path "$zero"
is "$(status .reboot.needed)" false
on web enact test --store-path "$kernel"
on bob@web enact status
says "not in effect  kernel:"
says_not "reboot needed" "reboot advised"
is "$(status '[.reboot.needed, [.reboot."not-in-effect"[].what]]')" '[false,["kernel","kernel-params"]]'

step "the kernel's own command line tells what is in effect, where it started this system"
write web /root/cmdline <<< "BOOT_IMAGE=/k init=$zero/init quiet root=/dev/vda1"
on web mount --bind /root/cmdline /proc/cmdline
on web enact switch --store-path "$parameters"
is "$(status '.reboot')" '{"needed":false,"reasons":[],"not-in-effect":[]}'
on web enact switch --store-path "$kernel"
is "$(status '.reboot.reasons[1].wanted')" '"debug"'
on web umount /proc/cmdline

step "after the reboot none is needed"
reboot web
is "$(booted_of web)" "$kernel"
is "$(status '.reboot')" '{"needed":false,"reasons":[],"not-in-effect":[]}'
on bob@web enact status
says_not "reboot"
