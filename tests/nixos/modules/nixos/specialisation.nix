# specialisation.<name>: variants of the system, each a whole toplevel below the main one.
{ config, lib, extendModules, newSystem, ... }:
let
  inherit (lib) mapAttrs mkOption types;

  systems = mapAttrs
    (_: s:
      let
        modules = [
          s.configuration
          # Specialisations don't nest.
          { _file = "specialisation"; specialisation = lib.mkForce { }; }
        ];
      in
      if s.inheritParentConfig then extendModules { inherit modules; } else newSystem modules)
    config.specialisation;
in
{
  options.specialisation = mkOption {
    default = { };
    type = types.attrsOf (types.submodule {
      options = {
        inheritParentConfig = mkOption { type = types.bool; default = true; };
        configuration = mkOption { type = types.deferredModule; default = { }; };
      };
    });
  };

  config.system.build = {
    specialisations = mapAttrs (_: s: s.config.system.build.toplevel) systems;
    specialisationBootspecs = mapAttrs
      (_: s: s.config.system.build.bootspec s.config.system.build.toplevel.outPath)
      systems;
  };
}
