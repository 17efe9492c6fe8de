# Kernel, initrd, init, the bootspec and the boot loaders' installers.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkOption optionalAttrs types;
  cfg = config.boot;
  loader = cfg.loader;

  kernel = cfg.kernelPackages.kernel;
  kernelFile =
    if cfg.kernelFile != null then cfg.kernelFile
    else "${kernel}/${if pkgs.stdenv.hostPlatform.isAarch64 then "Image" else "bzImage"}";
  initrdFile = if cfg.initrdFile != null then cfg.initrdFile else "${pkgs.initrd-dummy}/initrd";

  nixos = config.system.nixos;

  # The document for the toplevel of that path; a specialisation's is part of its parent's.
  bootspec = toplevel: cfg.bootspec.extensions // {
    "org.nixos.bootspec.v1" = {
      inherit toplevel;
      inherit (pkgs) system;
      init = "${toplevel}/init";
      kernel = "${kernelFile}";
      inherit (cfg) kernelParams;
      label = "${nixos.distroName} ${nixos.codeName} ${nixos.label} (Linux ${kernel.version or "unknown"})";
    } // optionalAttrs cfg.initrd.enable { initrd = "${initrdFile}"; }
    // optionalAttrs (cfg.initrd.secretsAppender != null) { initrdSecrets = "${cfg.initrd.secretsAppender}"; };
    "org.nixos.specialisation.v1" = config.system.build.specialisationBootspecs;
  } // optionalAttrs loader.systemd-boot.enable {
    "org.nixos.systemd-boot".sortKey = loader.systemd-boot.sortKey;
  };

  stub = pkgs.writeShellScript "no-bootloader" ''
    echo 'Warning: do not know how to make this configuration bootable; please enable a boot loader.' >&2
  '';
  # The installers that are a shell script with these lines in front.
  installer = name: limit: program: pkgs.writeShellScript "install-${name}.sh" ''
    boot=/boot
    timeout=${toString (if loader.timeout == null then 0 else loader.timeout)}
    limit=${toString limit}
    profiles=${builtins.dirOf builtins.storeDir}/var/nix/profiles
    ${builtins.readFile program}'';
  installers = {
    grub = installer "grub" loader.grub.configurationLimit ../../programs/install-grub.sh;
    extlinux = installer "extlinux" loader.generic-extlinux-compatible.configurationLimit ../../programs/install-extlinux.sh;
    limine = installer "limine" loader.limine.maxGenerations ../../programs/install-limine.sh;
    systemd-boot = systemdBoot;
  };
  systemdBoot = pkgs.writeShellScript "install-systemd-boot.sh" ''
    esp=${lib.escapeShellArg loader.efi.efiSysMountPoint}
    timeout=${if loader.timeout == null then "menu-force" else toString loader.timeout}
    limit=${toString (if loader.systemd-boot.configurationLimit == null then 0 else loader.systemd-boot.configurationLimit)}
    profiles=${builtins.dirOf builtins.storeDir}/var/nix/profiles
    ${builtins.readFile ../../programs/install-systemd-boot.sh}'';
in
{
  options.boot = {
    kernelPackages = mkOption { type = types.raw; default = pkgs.linuxPackages; };
    kernelFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A real kernel image for tests that boot it. Only here, not in NixOS.";
    };
    initrdFile = mkOption {
      type = types.nullOr types.path;
      default = null;
      description = "A real initrd for tests that boot it. Only here, not in NixOS.";
    };
    kernelParams = mkOption { type = types.listOf types.str; default = [ ]; };
    kernelModules = mkOption { type = types.listOf types.str; default = [ ]; };
    extraModulePackages = mkOption { type = types.listOf types.package; default = [ ]; };
    supportedFilesystems = mkOption { type = types.anything; default = { }; };
    kernel.sysctl = mkOption { type = types.attrsOf (types.nullOr (types.oneOf [ types.bool types.int types.str ])); default = { }; };
    tmp = mkOption { type = types.attrs; default = { }; };

    initrd = {
      enable = mkOption { type = types.bool; default = true; };
      availableKernelModules = mkOption { type = types.listOf types.str; default = [ ]; };
      kernelModules = mkOption { type = types.listOf types.str; default = [ ]; };
      systemd = mkOption { type = types.attrs; default = { }; };
      secretsAppender = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "Program for the bootspec's initrdSecrets. Only here, not in NixOS.";
      };
    };

    bootspec.extensions = mkOption { type = types.attrs; default = { }; };

    loader = {
      timeout = mkOption { type = types.nullOr types.int; default = 5; };
      efi = {
        canTouchEfiVariables = mkOption { type = types.bool; default = false; };
        efiSysMountPoint = mkOption { type = types.str; default = "/boot"; };
      };
      systemd-boot = {
        enable = mkEnableOption "systemd-boot";
        configurationLimit = mkOption { type = types.nullOr types.int; default = null; };
        consoleMode = mkOption { type = types.str; default = "keep"; };
        editor = mkOption { type = types.bool; default = true; };
        sortKey = mkOption { type = types.str; default = "nixos"; };
      };
      grub = {
        enable = mkEnableOption "GRUB";
        device = mkOption { type = types.str; default = ""; };
        devices = mkOption { type = types.listOf types.str; default = [ ]; };
        efiSupport = mkOption { type = types.bool; default = false; };
        configurationLimit = mkOption { type = types.int; default = 100; };
      };
      generic-extlinux-compatible = {
        enable = mkEnableOption "extlinux.conf, for U-Boot and its kind";
        configurationLimit = mkOption { type = types.int; default = 20; };
      };
      limine = {
        enable = mkEnableOption "limine";
        maxGenerations = mkOption { type = types.int; default = 50; };
      };
      external = {
        enable = mkEnableOption "a boot loader that is installed by a program of your own";
        installHook = mkOption { type = types.path; description = "Program that gets the toplevel as its argument."; };
      };
    };
  };

  config = {
    assertions = [{
      assertion = lib.count lib.id [
        loader.systemd-boot.enable loader.grub.enable loader.external.enable loader.generic-extlinux-compatible.enable loader.limine.enable
      ] <= 1;
      message = "More than one of boot.loader.{systemd-boot,grub,generic-extlinux-compatible,limine,external} is enabled.";
    }];

    environment.etc."sysctl.d/60-nixos.conf" = lib.mkIf (cfg.kernel.sysctl != { }) {
      text = lib.concatStrings (lib.mapAttrsToList
        (key: v: lib.optionalString (v != null) "${key}=${if v == true then "1" else if v == false then "0" else toString v}\n")
        cfg.kernel.sysctl);
    };

    system.build = {
      inherit bootspec kernel;
      bootLoaderInstallers = installers; # for hooks that run one, and something else
      installBootLoader =
        if loader.external.enable then "${loader.external.installHook}"
        else if loader.systemd-boot.enable then "${systemdBoot}"
        else if loader.grub.enable then "${installers.grub}"
        else if loader.generic-extlinux-compatible.enable then "${installers.extlinux}"
        else if loader.limine.enable then "${installers.limine}"
        else "${stub}";

      bootLinks = ''
        ln -s ${kernelFile} kernel
        ln -s ${kernel} kernel-modules
        ${lib.optionalString cfg.initrd.enable "ln -s ${initrdFile} initrd"}
      '';

      # PID 1 of a container, or of a machine whose initrd honours init=: activate, then be systemd.
      initScript = out: ''
        #!${pkgs.runtimeShell}

        # Its own PATH only: systemd must not hand ours to the services.
        PATH=${lib.makeBinPath [ pkgs.coreutils pkgs.util-linux ]}
        export -n PATH
        systemConfig='${out}'

        echo "<<< ${nixos.distroName} stage 2: $systemConfig >>>"
        # An initrd may leave the root read-only; a container never does.
        [ -w /etc ] || mount -o remount,rw /
        mkdir -p /run/nixos
        ln -sfnT "$systemConfig" /run/booted-system
        mkdir -p ${builtins.dirOf builtins.storeDir}/var/nix/gcroots
        ln -sfnT /run/booted-system ${builtins.dirOf builtins.storeDir}/var/nix/gcroots/booted-system

        "$systemConfig/activate" "$systemConfig" || echo 'activation failed in parts, booting all the same'

        exec "$systemConfig/systemd/lib/systemd/systemd" "$@"
      '';
    };
  };
}
