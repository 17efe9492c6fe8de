# What ./test evaluates. It is written like a user's flake, against real nixpkgs' interface.
{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.enact.url = "path:/opt/enact";
  inputs.enact.inputs.nixpkgs.follows = "nixpkgs";

  outputs = { self, nixpkgs, enact }:
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

      # A machine with enact's own module.
      withEnact = settings: nixos {
        imports = [ enact.nixosModules.default ];
        programs.enact = { enable = true; } // settings;
      };
      withProbe = probe: (withEnact { judge.probes.web = probe; }).config.system.build.toplevel.drvPath;

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
      enactConfigurations = {
        plain = withEnact { };
        off = nixos { imports = [ enact.nixosModules.default enact.nixosModules.enact ]; };
        menu = nixos {
          imports = [ enact.nixosModules.default ];
          boot.loader.efi.efiSysMountPoint = "/efi";
          programs.enact = {
            enable = true;
            bootMenu = {
              enable = true;
              extendedMountPoint = "/boot";
              configurationLimit = 7;
              extraEntries.hello = { title = "Hello"; program = "${nixpkgs.legacyPackages.${system}.hello}/bin/hello"; };
            };
            trialBoot = { tries = 2; deadline = 90; };
          };
        };
        full = withEnact {
          judge = {
            window = 2.5;
            confirm = 120;
            units = [ "sshd.service" "worker@a.b.service" ];
            probes = {
              web = { type = "http"; url = "http://localhost:8080/health"; status = 204; grace = 30; retries = 0; };
              "the database" = { type = "tcp"; address = "[::1]:5432"; timeout = 0.5; period = 2; };
              own = { type = "exec"; command = [ "${nixpkgs.legacyPackages.${system}.hello}/bin/hello" "a b" ./int.nix ]; };
              unit = { type = "systemd"; unit = "srv-a\\x2db.mount"; state = "inactive"; };
            };
          };
          rollback = { dropIn = true; reboot = true; };
          retention.generations = 20;
          switchToConfiguration = true;
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
        renamed = (nixos { system.extraSystemBuilderCmds = "old"; }).config.system.systemBuilderCommands;
        numbers = let inherit (lib.types) numbers; in map (t: map t.check [ (-1) 0 0.5 2 3 ])
          [ (numbers.between 0 2) numbers.nonnegative numbers.positive ];
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
        # These succeed, but not silently.
        warning = (nixos { warnings = [ "take care" ]; }).config.system.build.toplevel.name;
        renamed = (nixos { system.extraSystemBuilderCmds = ":"; }).config.system.build.toplevel.name;

        # Of enact's own module
        enactWindow = (withEnact { judge.window = "ten"; }).config.system.build.toplevel.drvPath;
        enactTooLong = (withEnact { judge.confirm = 3601; }).config.system.build.toplevel.drvPath;
        enactUnit = (withEnact { judge.units = [ "sshd" ]; }).config.system.build.toplevel.drvPath;
        enactTemplate = (withEnact { judge.units = [ "worker@.service" ]; }).config.system.build.toplevel.drvPath;
        enactUnknown = (withEnact { judge.windows = 1; }).config.system.build.toplevel.drvPath;
        probeUntyped = withProbe { url = "http://localhost/"; };
        probeType = withProbe { type = "https"; url = "https://localhost/"; };
        probeUrl = withProbe { type = "http"; url = "localhost:80"; };
        probeAddress = withProbe { type = "tcp"; address = "localhost"; };
        probeStatus = withProbe { type = "http"; url = "http://localhost/"; status = 99; };
        probeTimeout = withProbe { type = "tcp"; address = "localhost:80"; timeout = 0; };
        probeNeeds = withProbe { type = "http"; };
        probeForeign = withProbe { type = "tcp"; address = "localhost:80"; url = "http://localhost/"; };
        probeProgram = withProbe { type = "exec"; command = [ "/usr/bin/true" ]; };
        probeNoProgram = withProbe { type = "exec"; command = [ ]; };
        probeName = (withEnact {
          judge.probes."two\nlines" = { type = "tcp"; address = "localhost:80"; };
        }).config.system.build.toplevel.drvPath;
        probeMany = (withEnact {
          judge.probes = lib.genAttrs (map toString (lib.range 1 65)) (_: { type = "tcp"; address = "localhost:80"; });
        }).config.system.build.toplevel.drvPath;
        enactConfirm = (withEnact { judge.confirm = 60; rollback.automatic = false; }).config.system.build.toplevel.drvPath;
        enactDropIn = (withEnact { rollback.dropIn = true; }).config.system.build.toplevel.drvPath;
        enactDropInOnly = (withEnact {
          rollback = { dropIn = true; automatic = false; };
          switchToConfiguration = true;
        }).config.system.build.toplevel.drvPath;
        enactPerl = ((withEnact { switchToConfiguration = true; }).extendModules {
          modules = [{ system.switch.enableNg = false; }];
        }).config.system.build.toplevel.drvPath;
      };
    };
}
