# The programs that examples and tests configure.
{ config, lib, pkgs, ... }:
let
  inherit (lib) mkEnableOption mkIf mkOption types;
  cfg = config.programs;
  section = mkOption { type = types.attrsOf (types.attrsOf types.anything); default = { }; };
  plain = packageName: {
    enable = mkEnableOption packageName;
    package = mkOption { type = types.package; default = pkgs.${packageName}; };
  };
  aliases = lib.concatStrings (lib.mapAttrsToList
    (name: value: "alias ${name}=${lib.escapeShellArg value}\n")
    (config.home.shellAliases // cfg.bash.shellAliases));
in
{
  options.programs = {
    home-manager.enable = mkEnableOption "Home Manager's own command (without effect here)";
    bash = {
      enable = mkEnableOption "bash";
      shellAliases = mkOption { type = types.attrsOf types.str; default = { }; };
      bashrcExtra = mkOption { type = types.lines; default = ""; };
      initExtra = mkOption { type = types.lines; default = ""; };
      profileExtra = mkOption { type = types.lines; default = ""; };
    };
    git = plain "git" // {
      settings = section;
      userName = mkOption { type = types.nullOr types.str; default = null; };
      userEmail = mkOption { type = types.nullOr types.str; default = null; };
    };
    htop = plain "htop";
    vim = plain "vim";
    jq = plain "jq";
  };

  config = {
    home.packages = lib.concatMap (name: lib.optional cfg.${name}.enable cfg.${name}.package) [ "git" "htop" "vim" "jq" ];

    home.file.".bashrc" = mkIf cfg.bash.enable {
      text = cfg.bash.bashrcExtra + "\n[[ $- == *i* ]] || return\n" + aliases + cfg.bash.initExtra;
    };
    home.file.".profile" = mkIf cfg.bash.enable {
      text = ". ${config.home.path}/etc/profile.d/hm-session-vars.sh\n" + cfg.bash.profileExtra;
    };

    programs.git.settings.user = lib.mkMerge [
      (mkIf (cfg.git.userName != null) { name = cfg.git.userName; })
      (mkIf (cfg.git.userEmail != null) { email = cfg.git.userEmail; })
    ];
    xdg.configFile."git/config" = mkIf cfg.git.enable {
      text = lib.generators.toINI { } (lib.filterAttrs (_: keys: keys != { }) cfg.git.settings);
    };
  };
}
