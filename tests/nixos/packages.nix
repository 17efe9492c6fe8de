# pkgs: builders, links to the host's own programs, and a few stand-ins.
#
# Everything is built by /bin/sh with the host's coreutils, and one derivation costs about 20 ms, so
# builders do without a second process where the shell can do it.
{ lib, system, buildSystem ? system, overlays ? [ ] }:
let
  inherit (lib) concatStringsSep escapeShellArg hasPrefix;
  inherit (builtins) hasContext toFile toJSON;

  # A derivation from a script for dash. Attributes become its environment; those in passAsFile
  # (large ones) files.
  build = name: attrs: script: derivation
    ({
      inherit name;
      system = buildSystem;
      builder = "/bin/sh";
      args = [ "-euc" script ];
      PATH = "/usr/bin:/bin";
      preferLocalBuild = true;
      allowSubstitutes = false;
    } // attrs);
  withMeta = meta: drv: drv // { inherit meta; };

  base = self: {
    inherit lib system;
    stdenv = {
      hostPlatform = { inherit system; isLinux = true; isx86_64 = hasPrefix "x86_64" system; isAarch64 = hasPrefix "aarch64" system; };
      buildPlatform = self.stdenv.hostPlatform // { system = buildSystem; };
      isLinux = true;
      mkDerivation = { pname, version, src, nativeBuildInputs ? [ ], buildInputs ? [ ], meta ? { }, ... }:
        if !lib.elem self.meson nativeBuildInputs then throw "${pname}: tests/nixos builds nothing without Meson"
        else withMeta meta (build "${pname}-${version}" { inherit pname version src nativeBuildInputs buildInputs; } ''
          export HOME=/nonexistent CCACHE_DISABLE=1
          meson setup --buildtype=plain --wrap-mode=nodownload --prefix="$out" --libdir="$out/lib" \
            --libexecdir="$out/libexec" --bindir="$out/bin" --sbindir="$out/sbin" --includedir="$out/include" \
            --mandir="$out/share/man" --infodir="$out/share/info" --localedir="$out/share/locale" build "$src"
          ninja -C build
          meson install -C build --no-rebuild
        '');
    };
    callPackage = path: args:
      let f = if builtins.isFunction path then path else import path; in
      f (builtins.intersectAttrs (builtins.functionArgs f) self // args);

    # --- builders ---------------------------------------------------------------------------------

    runCommand = name: attrs: script:
      withMeta (attrs.meta or { }) (build name (removeAttrs attrs [ "meta" ]) "${script}\n");
    runCommandLocal = self.runCommand;

    writeTextFile = { name, text, executable ? false, destination ? "", meta ? { }, ... }:
      withMeta meta (build name { inherit text; passAsFile = [ "text" ]; } ''
        file="$out${destination}"
        ${lib.optionalString (destination != "") ''mkdir -p "''${file%/*}"''}
        cp "$textPath" "$file"
        ${lib.optionalString executable ''chmod 755 "$file"''}
      '');
    # Text that mentions no store path needs no derivation at all.
    writeText = name: text:
      if hasContext text then self.writeTextFile { inherit name text; } else toFile name text;
    writeTextDir = path: text: self.writeTextFile { name = baseNameOf path; destination = "/${path}"; inherit text; };
    writeScript = name: text: self.writeTextFile { inherit name text; executable = true; };
    writeScriptBin = name: text: self.writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
    writeShellScript = name: text: self.writeScript name "#!${self.runtimeShell}\n${text}\n";
    writeShellScriptBin = name: text: self.writeScriptBin name "#!${self.runtimeShell}\n${text}\n";
    writeShellApplication = { name, text, runtimeInputs ? [ ], ... }: self.writeShellScriptBin name ''
      set -o errexit
      set -o nounset
      set -o pipefail
      ${lib.optionalString (runtimeInputs != [ ]) ''export PATH="${lib.makeBinPath runtimeInputs}:$PATH"''}

      ${text}'';

    # Earlier packages win where two have the same file.
    buildEnv = { name, paths, pathsToLink ? [ "/bin" "/sbin" "/lib" "/share" "/etc" ], ... }: build name
      { paths = lib.reverseList paths; }
      ''
        mkdir -p "$out"
        for package in $paths; do
          for dir in ${concatStringsSep " " (map escapeShellArg pathsToLink)}; do
            [ ! -d "$package$dir/." ] || { mkdir -p "$out$dir"; cp -rsf "$package$dir/." "$out$dir"; }
          done
        done
      '';
    symlinkJoin = { name, paths, ... }: self.buildEnv { inherit name paths; pathsToLink = [ "/." ]; };
    linkFarm = name: entries: build name { } (''mkdir -p "$out"
      '' + lib.concatMapStrings
      (e: ''
        mkdir -p "$(dirname "$out/"${escapeShellArg e.name})"
        ln -s ${escapeShellArg "${e.path}"} "$out/"${escapeShellArg e.name}
      '')
      (if builtins.isList entries then entries else lib.mapAttrsToList (name: path: { inherit name path; }) entries));

    formats =
      let format = generate: _: { type = lib.types.anything; generate = name: value: self.writeText name (generate value); }; in {
        json = format toJSON;
        ini = format (lib.generators.toINI { });
        keyValue = format (lib.generators.toKeyValue { });
      };

    # --- links to the host ------------------------------------------------------------------------

    # Those of the programs that the host has. Their absence is no error here: most are never called.
    hostPrograms = name: programs: withMeta { mainProgram = lib.head programs; } (build name { inherit programs; } ''
      mkdir -p "$out/bin"
      for program in $programs; do
        for dir in /usr/bin /bin /usr/sbin /sbin; do
          [ -x "$dir/$program" ] || continue
          ln -s "$dir/$program" "$out/bin/$program"
          break
        done
      done
    '');

    bash = self.hostPrograms "bash" [ "bash" "sh" ];
    bashInteractive = self.bash;
    runtimeShell = "${self.bash}/bin/bash";
    coreutils = self.hostPrograms "coreutils" [
      "basename" "cat" "chgrp" "chmod" "chown" "cp" "cut" "date" "dd" "df" "dirname" "du" "echo" "env" "expr" "false"
      "head" "id" "install" "ln" "ls" "md5sum" "mkdir" "mkfifo" "mknod" "mktemp" "mv" "nproc" "od" "paste" "printf"
      "pwd" "readlink" "realpath" "rm" "rmdir" "seq" "sha256sum" "sleep" "sort" "stat" "stty" "sync" "tail" "tee"
      "test" "timeout" "touch" "tr" "true" "tty" "uname" "uniq" "wc" "whoami" "yes"
    ];
    findutils = self.hostPrograms "findutils" [ "find" "xargs" ];
    gnugrep = self.hostPrograms "gnugrep" [ "grep" "egrep" "fgrep" ] // { meta.mainProgram = "grep"; };
    gnused = self.hostPrograms "gnused" [ "sed" ];
    diffutils = self.hostPrograms "diffutils" [ "diff" "cmp" ];
    util-linux = self.hostPrograms "util-linux" [ "mount" "umount" "findmnt" "flock" "logger" "swapon" "swapoff" "dmesg" ];
    hostname = self.hostPrograms "hostname" [ "hostname" ];
    openssh = self.hostPrograms "openssh" [ "ssh" "sshd" "ssh-keygen" "scp" ];
    iproute2 = self.hostPrograms "iproute2" [ "ip" "ss" ];
    nix = self.hostPrograms "nix" [ "nix" "nix-store" "nix-env" "nix-build" ];
    git = self.hostPrograms "git" [ "git" ];
    curl = self.hostPrograms "curl" [ "curl" ];
    jq = self.hostPrograms "jq" [ "jq" ];
    python3 = self.hostPrograms "python3" [ "python3" ];

    # What NixOS calls by this name is Rust; a host of the tests has enact's.
    switch-to-configuration-ng = withMeta { mainProgram = "switch-to-configuration"; }
      (build "switch-to-configuration" { } ''
        mkdir -p "$out/bin"
        ln -s /usr/libexec/enact/switch-to-configuration "$out/bin/switch-to-configuration"
      '');

    # Compilers and libraries are the host's own and found where they are; of Meson there is what
    # nixpkgs' hook does.
    meson = self.hostPrograms "meson" [ "meson" ];
    ninja = self.hostPrograms "ninja" [ "ninja" ];
    pkg-config = self.hostPrograms "pkg-config" [ "pkg-config" ];
    clang-tools = self.hostPrograms "clang-tools" [ "clang-format" "clang-tidy" ];
    shellcheck = self.hostPrograms "shellcheck" [ "shellcheck" ];
    cjson = self.hostPrograms "cjson" [ ];
    cmocka = self.hostPrograms "cmocka" [ ];
    libsodium = self.hostPrograms "libsodium" [ ];
    mkShell = { name ? "shell", packages ? [ ], inputsFrom ? [ ], ... }: build name
      { packages = packages ++ lib.concatMap (p: p.nativeBuildInputs or [ ]) inputsFrom; }
      ''mkdir "$out"'';

    # systemd as the host has it; example/ holds its unit files, as nixpkgs' package does. They are
    # copied: a link from /etc/systemd/system back into /lib/systemd/system would be an alias of
    # itself, and the switch would take the unit for one that it does not manage.
    systemd = withMeta { mainProgram = "systemctl"; } (build "systemd" { } ''
      mkdir -p "$out/lib/systemd" "$out/bin" "$out/example/systemd"
      ln -s /usr/lib/systemd/systemd "$out/lib/systemd/systemd"
      for program in systemctl journalctl loginctl systemd-analyze systemd-run systemd-tmpfiles systemd-notify systemd-cat; do
        ln -s "/usr/bin/$program" "$out/bin/$program"
      done
      for kind in system user; do
        [ ! -d "/usr/lib/systemd/$kind" ] || cp -rP --no-preserve=ownership "/usr/lib/systemd/$kind" "$out/example/systemd/$kind"
      done
    '') // { interfaceVersion = 2; version = "host"; };

    # --- stand-ins --------------------------------------------------------------------------------

    hello = self.writeShellScriptBin "hello" "echo 'Hello, world!'";
    htop = self.writeShellScriptBin "htop" "echo 'htop: a stand-in of tests/nixos'";
    vim = self.writeShellScriptBin "vim" "echo 'vim: a stand-in of tests/nixos'";

    # Enough for a boot entry to be written; boot.kernelFile and boot.initrdFile give real ones.
    linux = build "linux-6.1.0-dummy" { } ''
      mkdir -p "$out/lib/modules/6.1.0-dummy"
      echo 'not a kernel' > "$out/${if hasPrefix "aarch64" system then "Image" else "bzImage"}"
    '' // { version = "6.1.0-dummy"; };
    linuxPackages = { kernel = self.linux; };
    linuxPackages_latest = self.linuxPackages;
    initrd-dummy = build "initrd-linux-6.1.0-dummy" { } ''mkdir "$out"; echo 'not an initrd' > "$out/initrd"'';
  };

  extended = lib.foldl'
    (packages: overlay: self: let prev = packages self; in prev // overlay self prev)
    base
    overlays;
in
lib.fix extended // {
  # A set of packages with more overlays, as nixpkgs has it.
  extend = overlay: import ./packages.nix { inherit lib system buildSystem; overlays = overlays ++ [ overlay ]; };
  inherit overlays;
  # The same, built on another machine: nixpkgs.buildPlatform.
  builtOn = buildSystem: import ./packages.nix { inherit lib system overlays buildSystem; };
}
