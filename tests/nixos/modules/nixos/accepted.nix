# Options of NixOS that real configurations set and that have no effect here: they are known so that
# such a configuration evaluates, and typed so far that a slip is noticed.
{ lib, ... }:
let
  inherit (lib) mkOption types;
  ignored = type: default: mkOption { inherit type default; description = "Accepted, without effect."; };
  attrs = ignored types.attrs { };
  strings = ignored (types.listOf types.str) [ ];
  yes = ignored types.bool true;
in
{
  options = {
    users = {
      mutableUsers = yes;
      users = ignored (types.attrsOf types.attrs) { };
      groups = ignored (types.attrsOf types.attrs) { };
    };
    networking = {
      firewall = attrs;
      interfaces = attrs;
      nameservers = strings;
      networkmanager = attrs;
      useDHCP = yes;
      useNetworkd = ignored types.bool false;
    };
    console = attrs;
    documentation = attrs;
    hardware = attrs;
    i18n.defaultLocale = ignored types.str "en_US.UTF-8";
    powerManagement = attrs;
    # By name, so that a module can bring programs of its own.
    programs = lib.genAttrs
      [
        "bash" "chromium" "command-not-found" "dconf" "direnv" "firefox" "fish" "fuse" "git" "gnupg" "htop" "java"
        "less" "mosh" "mtr" "nano" "neovim" "nh" "nix-index" "nix-ld" "ssh" "starship" "sudo" "tmux" "vim" "zsh"
      ]
      (_: attrs);
    security = {
      polkit = attrs;
      sudo = attrs;
    };
    virtualisation = attrs;
    zramSwap = attrs;
  };
}
