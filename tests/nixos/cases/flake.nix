# What ./test evaluates. It is written like a user's flake, against real nixpkgs' interface.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      system = "x86_64-linux";
      nixos = module: lib.nixosSystem { inherit system; modules = [ module ]; };
      # Options of their own on top of the library's.
      withOptions = modules: (lib.nixosSystem {
        inherit system;
        modules = modules ++ [{
          options.t = with lib; {
            int = mkOption { type = types.int; };
            list = mkOption { type = types.listOf types.str; default = [ "default" ]; };
            lines = mkOption { type = types.lines; default = ""; };
            enum = mkOption { type = types.enum [ "a" "b" ]; default = "a"; };
            nullable = mkOption { type = types.nullOr types.str; default = null; };
            either = mkOption { type = types.either types.int types.str; default = 1; };
            set = mkOption {
              default = { };
              type = types.attrsOf (types.submodule ({ name, ... }: {
                options.label = mkOption { type = types.str; default = name; };
                options.deep.on = mkEnableOption "it";
              }));
            };
            free = mkOption {
              default = { };
              type = types.submodule {
                freeformType = types.attrsOf types.int;
                options.known = mkOption { type = types.str; default = "k"; };
              };
            };
            readOnly = mkOption { type = types.int; default = 1; readOnly = true; };
          };
        }];
      }).config.t;

      machine = nixos ({ pkgs, ... }: {
        imports = [ ./machine.nix ];
        nixpkgs.overlays = [ (final: prev: { greeting = prev.hello // { name = "greeting"; }; }) ];
        environment.systemPackages = [ pkgs.greeting ];
      });
    in
    {
      nixosConfigurations = {
        inherit machine;
        unchanged = machine.extendModules { };
        changed = machine.extendModules {
          modules = [{ systemd.services.web.environment.COLOUR = lib.mkForce "red"; }];
        };
      };
      homeConfigurations."alice@machine" = lib.homeManagerConfiguration {
        pkgs = nixpkgs.legacyPackages.${system};
        modules = [ ./home.nix ];
      };

      facts = {
        priorities = map (m: (withOptions m).int) [
          [{ t.int = 1; } { t.int = lib.mkDefault 2; }]
          [{ t.int = 1; } { t.int = lib.mkForce 3; }]
          [{ t.int = lib.mkMerge [ (lib.mkIf false 4) (lib.mkIf true 5) ]; }]
          [{ t.int = 6; } { t.int = 6; }]
          [{ t = lib.mkIf true (lib.mkDefault { int = 7; }); }]
          [{ t.int = lib.mkForce (lib.mkDefault 8); } { t.int = 9; }]
        ];
        order = (withOptions [
          { t.list = [ "b" ]; }
          { t.list = lib.mkAfter [ "c" ]; }
          { t.list = lib.mkBefore [ "a" ]; }
        ]).list;
        lines = (withOptions [{ t.lines = "one"; } { t.lines = lib.mkBefore "zero"; }]).lines;
        submodules = (withOptions [
          { t.set.x.deep.on = true; }
          ({ config, ... }: { t.set.y.label = "from ${config.t.set.x.label}"; t.set.z = lib.mkIf false { }; })
        ]).set;
        freeform = (withOptions [{ t.free = { a = 1; known = "n"; }; }]).free;
        sameFileTwice = (withOptions [ ./int.nix ./int.nix { imports = [ ./int.nix ]; } ]).list;
        specialArgs = (lib.nixosSystem {
          inherit system;
          specialArgs.word = "special";
          modules = [ ({ word, ... }: { networking.hostName = word; }) ];
        }).config.networking.hostName;
        hostPlatform = (lib.nixosSystem { modules = [{ nixpkgs.hostPlatform = "aarch64-linux"; }]; }).pkgs.system;
        overlay = machine.pkgs.greeting.name;
        isDefined = machine.options.time.timeZone.isDefined;
        bootspec = builtins.attrNames (machine.config.system.build.bootspec "/x");
      };

      # Each must fail, with the words that ./test awaits.
      mistakes = {
        unknownOption = (nixos { services.opensshd.enable = true; }).config.system.build.toplevel.name;
        unknownInSubmodule = (nixos { systemd.services.a.descripton = "x"; }).config.system.build.toplevel.name;
        wrongType = (withOptions [{ t.int = "seven"; }]).int;
        wrongElement = (withOptions [{ t.list = [ "a" 2 ]; }]).list;
        wrongEnum = (withOptions [{ t.enum = "c"; }]).enum;
        conflict = (withOptions [{ t.int = 1; } { t.int = 2; }]).int;
        nothing = (withOptions [ ]).int;
        readOnly = (withOptions [{ t.readOnly = 2; }]).readOnly;
        mixed = (nixos { config.networking.hostName = "a"; time.timeZone = "UTC"; }).config.networking.hostName;
        noArgument = (nixos ({ nonsense, ... }: { networking.hostName = nonsense; })).config.networking.hostName;
        dependency = (nixos { system.activationScripts.a = { text = ""; deps = [ "b" ]; }; }).config.system.build.toplevel.drvPath;
        assertion = (nixos {
          assertions = [
            { assertion = true; message = "fine"; }
            { assertion = false; message = "the first reason"; }
            { assertion = false; message = "the second reason"; }
          ];
        }).config.system.build.toplevel.drvPath;
        # This one succeeds, but not silently.
        warning = (nixos { warnings = [ "take care" ]; }).config.system.build.toplevel.name;
      };
    };
}
