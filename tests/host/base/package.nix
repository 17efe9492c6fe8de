# enact as a host of the tests has it, installed below /usr from the build: modules/package.nix there.
{ runCommand }:
runCommand "enact" { meta.mainProgram = "enact"; } ''
  mkdir -p "$out/bin" "$out/lib/systemd/system" "$out/lib/systemd/catalog"
  ln -s /usr/bin/enact "$out/bin/enact"
  ln -s /usr/libexec "$out/libexec"
  # Copies: a link from /etc/systemd/system back to /usr/lib/systemd/system would be an alias of itself.
  for unit in /usr/lib/systemd/system/enact*.service; do
    [ ! -e "$unit" ] || cp --no-preserve=ownership "$unit" "$out/lib/systemd/system/"
  done
  ln -s /usr/lib/systemd/catalog/enact.catalog "$out/lib/systemd/catalog/enact.catalog"
''
