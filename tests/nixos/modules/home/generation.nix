# home.*: who it is for, the packages, and the generation with its `activate'.
{ config, lib, pkgs, ... }:
let
  inherit (lib) concatMapStrings concatStringsSep escapeShellArg mkOption types;
  cfg = config.home;

  entryType = types.submodule {
    options = {
      data = mkOption { type = types.lines; };
      after = mkOption { type = types.listOf types.str; default = [ ]; };
      before = mkOption { type = types.listOf types.str; default = [ ]; };
    };
  };

  # "before x" said by y is "after y" said by x.
  predecessors = name:
    cfg.activation.${name}.after
    ++ lib.filter (other: lib.elem name cfg.activation.${other}.before) (lib.attrNames cfg.activation);
  inOrder =
    let
      visit = trail: done: name:
        if lib.elem name done || !(cfg.activation ? ${name}) then done
        else if lib.elem name trail then
          throw "home.activation: ${concatStringsSep " -> " (trail ++ [ name ])} depend on each other"
        else lib.foldl' (visit (trail ++ [ name ])) done (predecessors name) ++ [ name ];
    in
    lib.foldl' (visit [ ]) [ ] (lib.attrNames cfg.activation);

  tools = with pkgs; [ bash coreutils diffutils findutils gnugrep gnused ];

  activate = out: ''
    #!${pkgs.runtimeShell}
    newGenPath='${out}'
    wantedUser=${escapeShellArg cfg.username}
    wantedHome=${escapeShellArg cfg.homeDirectory}
    export PATH=${lib.makeBinPath tools}''${PATH:+:}''${PATH-}

    ${builtins.readFile ../../programs/home-activate.sh}
  '' + concatMapStrings
    (name: ''
      printf 'Activating %s\n' ${escapeShellArg name}
      ${cfg.activation.${name}.data}
    '')
    inOrder
  + "finish\n";

  # Read by ~/.profile through ~/.nix-profile/etc/profile.d, as Home Manager has it.
  sessionVars = pkgs.writeTextDir "etc/profile.d/hm-session-vars.sh" (
    lib.concatStrings (lib.mapAttrsToList (k: v: "export ${k}=${escapeShellArg v}\n") cfg.sessionVariables)
    + lib.optionalString (cfg.sessionPath != [ ])
      "export PATH=\"$PATH:${concatStringsSep ":" cfg.sessionPath}\"\n");

  failed = map (a: a.message) (lib.filter (a: !a.assertion) config.assertions);
  generation = pkgs.runCommand "home-manager-generation"
    {
      activate = activate (builtins.placeholder "out");
      dependencies = lib.concatMapStringsSep "\n" (d: "${d}") cfg.extraDependencies;
      passAsFile = [ "activate" "dependencies" ];
    }
    ''
      mkdir -p "$out/bin"
      cd "$out"
      cp "$activatePath" activate
      chmod 755 activate
      ln -s ../activate bin/home-manager-generation
      ln -s ${config.home-files} home-files
      ln -s ${cfg.path} home-path
      printf %s 1 > gen-version
      printf %s 24.11-tests > hm-version
      cp "$dependenciesPath" extra-dependencies
    '';
in
{
  options = {
    assertions = mkOption { type = types.listOf types.raw; default = [ ]; };
    warnings = mkOption { type = types.listOf types.str; default = [ ]; };

    home = {
      username = mkOption { type = types.nonEmptyStr; };
      homeDirectory = mkOption { type = types.path; apply = toString; };
      stateVersion = mkOption { type = types.str; description = "Without effect."; };
      enableNixpkgsReleaseCheck = mkOption { type = types.bool; default = true; };
      packages = mkOption { type = types.listOf types.package; default = [ ]; };
      extraDependencies = mkOption { type = types.listOf types.pathInStore; default = [ ]; };
      sessionVariables = mkOption {
        type = types.lazyAttrsOf (types.oneOf [ types.str types.path types.int types.float ]);
        default = { };
      };
      sessionPath = mkOption { type = types.listOf types.str; default = [ ]; };
      shellAliases = mkOption { type = types.attrsOf types.str; default = { }; };
      activation = mkOption { type = types.attrsOf entryType; default = { }; };
      path = mkOption { type = types.package; };
      activationPackage = mkOption { type = types.package; };
    };
  };

  config.home = {
    path = pkgs.buildEnv { name = "home-manager-path"; paths = cfg.packages ++ [ sessionVars ]; };
    activationPackage =
      if failed != [ ] then throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (m: "- ${m}") failed}"
      else lib.foldr lib.warn generation config.warnings;

    activation = with lib.hm.dag; {
      checkLinkTargets = entryBefore [ "writeBoundary" ] "check_link_targets";
      writeBoundary = entryAnywhere "set_profile";
      installPackages = entryAfter [ "writeBoundary" ] "install_packages";
      linkGeneration = entryAfter [ "writeBoundary" ] "link_generation";
      reloadSystemd = entryAfter [ "linkGeneration" ] "reload_systemd";
    };
  };
}
