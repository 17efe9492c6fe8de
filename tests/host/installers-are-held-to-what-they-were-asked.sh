# What another loader's installer has done is verified, whatever it says: for GRUB, extlinux, limine and systemd-boot, one
# that wrote nothing, cut a kernel short, led elsewhere or failed has its switch rolled back, and the menu leads to the old system
# again.
# It may take 600 s.

needs enact
host web

# system LOADER NAME: with a kernel of its own, and an installer that does to /root/lie's system what that says
system() {
    configuration web "$1-$2" << NIX
{ config, pkgs, ... }: {
  environment.etc.motto.text = "$2";
  boot.kernelFile = pkgs.writeText "kernel-$1-$2" "the kernel of $1 $2";
  boot.loader.external = {
    enable = true;
    installHook = pkgs.writeShellScript "install-$1-and-lie" ''
      PATH=/usr/bin:/bin
      echo "\$1" >> /root/installed
      read -r lie of < /root/lie
      [ "\$of" = "\$1" ] || lie=none
      case \$lie in
        nothing) exit 0 ;;
        fail) exit 1 ;;
      esac
      \${config.system.build.bootLoaderInstallers.$1} "\$1"
      case \$lie in
        cut) for file in /boot/*/*kernel-$1-$2* /boot/*/*/*kernel-$1-$2*; do [ ! -e "\$file" ] || truncate -s 5 "\$file"; done ;;
        default) number=\$(ls -d /nix/var/nix/profiles/system-*-link | sort -t- -k2,2n | tail -n 2 | head -n 1 | tr -dc 0-9)
            sed -i -e 's/set default=0/set default="1>1"/' -e "s/^DEFAULT .*/DEFAULT nixos-\$number/" -e 's/^default_entry: .*/default_entry: 3/' \
            -e "s/^default nixos-.*/default nixos-generation-\$number.conf/" /boot/grub/grub.cfg /boot/extlinux/extlinux.conf \
            /boot/limine/limine.conf /boot/loader/loader.conf 2> /dev/null || : ;;
      esac
    '';
  };
}
NIX
}

# lie WHAT PATH: what the installer does where it is asked for that system
lie() {
    write web /root/lie <<< "$1 $2"
}

last_installed() {
    ask web tail -n 1 /root/installed
}

# begins LOADER: with a menu of its own and one system; $old runs, $new is to
begins() {
    loader=$1
    step "$loader: what an installer has done well is verified, and nothing is said of it"
    on web rm -rf /boot/grub /boot/kernels /boot/extlinux /boot/nixos /boot/limine /boot/loader /boot/EFI
    system "$loader" one
    system "$loader" two
    on web enact boot --flake "/root/$loader-one"
    says_not "cannot be told" "could not be told"
    old=$(profile_of web)
    new=$(built web "$loader-two")
}

# found VERB CODE LIE WORDS: it fails over that lie, and the menu leads to $old again
found() {
    step "$loader: $3"
    lie "$3" "$new"
    refused web "$2" enact "$1" --store-path "$new"
    says "$4"
    is "$(profile_of web)" "$old" "the profile"
    is "$(last_installed)" "$old" "whom the installer ran for last"
    is "$(ask web enact status --json | jq -r .default)" "$old" "the default"
    at_its_end web
}

lie none none
begins grub
on web enact switch --store-path "$old"
on web enact switch --store-path "$old"
says "Nothing to do"
found switch 3 nothing "it has no entry that boots '$new'"
says "Rolled back: '$old' runs again"
found switch 3 cut "is not what the store has"
found switch 3 default "boots next"
found switch 3 fail "boot loader installer"
is "$(running_of web)" "$old" "what runs"

step "once it does as it is told; and a kernel that is lost later is no 'nothing to do'"
lie none none
on web enact switch --store-path "$new"
on web sh -c "rm /boot/kernels/*kernel-grub-two"
on web enact switch --store-path "$new"
says "its boot entry is damaged"
on web enact switch --store-path "$new"
says "Nothing to do"

step "overruled, the menu is left to the installer"
lie nothing "$old"
on web env NIXOS_NO_CHECK=1 enact switch --store-path "$old"
says "is not what it must be"
is "$(running_of web)" "$old"

for loader in extlinux limine systemd-boot; do
    lie none none
    begins "$loader"
    found boot 1 cut "is not what the store has"
    found boot 1 default "boots next"
done
