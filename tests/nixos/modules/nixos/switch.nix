# bin/switch-to-configuration, and what it calls before it changes anything.
{ config, lib, pkgs, ... }:
let
  inherit (lib) escapeShellArg mkOption types;
  cfg = config.system;

  # The same lines that nixpkgs' makeWrapper writes: enact reads them, it does not run them.
  wrapper = { out, toplevel }: ''
    #! /bin/sh -e
    export OUT='${out}'
    export TOPLEVEL='${toplevel}'
    export DISTRO_ID=${escapeShellArg cfg.nixos.distroId}
    export INSTALL_BOOTLOADER=${escapeShellArg cfg.build.installBootLoader}
    export PRE_SWITCH_CHECK=${escapeShellArg (lib.getExe preSwitchChecks)}
    ${lib.optionalString (config.i18n.glibcLocales != null)
      "export LOCALE_ARCHIVE='${config.i18n.glibcLocales}/lib/locale/locale-archive'\n"}export SYSTEMD='${config.systemd.package}'
    exec "${cfg.switch.program}"  "$@" ''
  + "\n";

  preSwitchChecks = pkgs.writeShellApplication {
    name = "pre-switch-checks";
    text = lib.concatStringsSep "\n" (lib.mapAttrsToList
      (name: text: ''
        if ! (set -o errexit
        ${text}
        ) >&2; then
          printf "Pre-switch check '%s' failed\n" ${escapeShellArg name} >&2
          exit 1
        fi
      '')
      cfg.preSwitchChecks);
  };
in
{
  options.system = {
    switch = {
      enable = mkOption { type = types.bool; default = true; };
      enableNg = mkOption { type = types.bool; default = true; description = "Without effect."; };
      inhibitors = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Values that may change only across a reboot.";
      };
      program = mkOption {
        type = types.path;
        default = lib.getExe pkgs.switch-to-configuration-ng;
        description = "What the wrapper runs. Only here, not in NixOS.";
      };
    };
    preSwitchChecks = mkOption {
      type = types.attrsOf types.lines;
      default = { };
      description = "Shell fragments that get the toplevel as $1 and the action as $2.";
    };
  };

  config.system = {
    build.switchWrapper = wrapper;
    build.preSwitchChecks = preSwitchChecks;
    preSwitchChecks.switchInhibitors = builtins.readFile ../../programs/check-inhibitors.sh;
  };
}
