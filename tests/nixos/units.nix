# Units: their options, their text, and the directory that systemd reads. NixOS modules use it for the
# system and the user managers, the Home Manager modules for the text alone.
{ lib, pkgs }:
let
  inherit (lib)
    concatMapStrings concatStringsSep escapeShellArg filterAttrs mapAttrs mapAttrsToList mkDefault mkIf
    mkMerge mkOption optionalAttrs optionalString types;

  # --- options ------------------------------------------------------------------------------------

  # A value of a unit file. Lists are keys that repeat, so two lists are joined.
  scalar = types.oneOf [ types.bool types.int types.float types.str types.path types.package ];
  directive =
    let one = types.nullOr (types.either scalar (types.listOf scalar)); in
    one // {
      name = "directive";
      description = "null, boolean, number, string, path or a list of such";
      merge = path: defs:
        if lib.any (d: builtins.isList d.value) defs then lib.concatMap (d: lib.toList d.value) defs
        else one.merge path defs;
    };
  section = mkOption { type = types.attrsOf directive; default = { }; };
  names = mkOption { type = types.listOf types.str; default = [ ]; };
  flag = default: mkOption { type = types.bool; inherit default; };
  fragment = mkOption { type = types.lines; default = ""; };

  linkOptions = {
    aliases = names;
    wantedBy = names;
    requiredBy = names;
    upheldBy = names;
    enable = flag true;
    overrideStrategy = mkOption {
      type = types.enum [ "asDropinIfExists" "asDropin" ];
      default = "asDropinIfExists";
    };
  };

  # Keys of [Unit] that hold unit names.
  relations = {
    after = "After";
    before = "Before";
    bindsTo = "BindsTo";
    conflicts = "Conflicts";
    onFailure = "OnFailure";
    onSuccess = "OnSuccess";
    partOf = "PartOf";
    requires = "Requires";
    requisite = "Requisite";
    upholds = "Upholds";
    wants = "Wants";
  };

  unitOptions = linkOptions // mapAttrs (_: _: names) relations // {
    description = mkOption { type = types.singleLineStr; default = ""; };
    documentation = names;
    startLimitBurst = mkOption { type = types.nullOr types.int; default = null; };
    startLimitIntervalSec = mkOption { type = types.nullOr types.int; default = null; };
    restartTriggers = mkOption { type = types.listOf types.unspecified; default = [ ]; };
    reloadTriggers = mkOption { type = types.listOf types.unspecified; default = [ ]; };
    unitConfig = section;
  };

  # Triggers are a file's path, so that a long list makes a short line; its name has no say in it.
  triggers = key: list: optionalAttrs (list != [ ]) {
    ${key} = "${pkgs.writeText "${lib.toLower key}" (concatStringsSep " " (map toString (lib.flatten list)) + "\n")}";
  };

  unitModule = { config, ... }: {
    options = unitOptions;
    config.unitConfig = mkMerge [
      (mapAttrs (_: mkDefault) (lib.mapAttrs'
        (option: key: lib.nameValuePair key (concatStringsSep " " config.${option}))
        (filterAttrs (option: _: config.${option} != [ ]) relations)))
      (mkIf (config.description != "") { Description = mkDefault config.description; })
      (mkIf (config.documentation != [ ]) { Documentation = mkDefault (concatStringsSep " " config.documentation); })
      (mkIf (config.startLimitBurst != null) { StartLimitBurst = mkDefault config.startLimitBurst; })
      (mkIf (config.startLimitIntervalSec != null) { StartLimitIntervalSec = mkDefault config.startLimitIntervalSec; })
      (triggers "X-Restart-Triggers" config.restartTriggers)
      (triggers "X-Reload-Triggers" config.reloadTriggers)
    ];
  };

  safeName = name: lib.concatMapStrings
    (c: if builtins.match "[a-zA-Z0-9+._?=-]" c != null then c else "-")
    (lib.stringToCharacters name);

  scriptFile = unit: phase: text:
    "${pkgs.writeShellScriptBin "${safeName unit}-${phase}" "set -e\n${text}"}/bin/${safeName unit}-${phase}";

  serviceModule = { name, config, ... }: {
    options = {
      serviceConfig = section;
      environment = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package types.int ]));
        default = { };
      };
      path = mkOption { type = types.listOf (types.either types.package types.str); default = [ ]; };
      enableDefaultPath = flag true;
      script = fragment;
      scriptArgs = mkOption { type = types.str; default = ""; };
      preStart = fragment;
      postStart = fragment;
      reload = fragment;
      preStop = fragment;
      postStop = fragment;
      restartIfChanged = flag true;
      reloadIfChanged = flag false;
      stopIfChanged = flag true;
      notSocketActivated = flag false;
      startAt = mkOption { type = types.coercedTo types.str lib.singleton (types.listOf types.str); default = [ ]; };
      confinement = mkOption { type = types.attrs; default = { }; description = "Without effect."; };
    };
    config = {
      path = mkIf config.enableDefaultPath
        (lib.mkAfter (with pkgs; [ coreutils findutils gnugrep gnused systemd ]));
      environment.PATH = mkIf (config.path != [ ])
        (mkDefault "${lib.makeBinPath config.path}:${lib.makeSearchPath "sbin" config.path}");
      serviceConfig = mkMerge (
        mapAttrsToList
          (option: key: mkIf (config.${option} != "") {
            ${key} = [ (scriptFile name (phaseNames.${option} or option) config.${option}) ];
          })
          scriptKeys
        ++ [
          (mkIf (config.script != "") {
            ExecStart = scriptFile name "start" config.script + optionalString (config.scriptArgs != "") " ${config.scriptArgs}";
          })
        ]
      );
    };
  };
  scriptKeys = {
    preStart = "ExecStartPre";
    postStart = "ExecStartPost";
    reload = "ExecReload";
    preStop = "ExecStop";
    postStop = "ExecStopPost";
  };
  phaseNames = { preStart = "pre-start"; postStart = "post-start"; preStop = "pre-stop"; postStop = "post-stop"; };

  # type -> its own options, and what is written of them
  kinds = {
    service = {
      module = serviceModule;
      body = unit: ''
        [Service]
        ${concatStringsSep "" (mapAttrsToList
          (key: v: optionalString (v != null) "Environment=${builtins.toJSON "${key}=${toString v}"}\n")
          unit.environment)}${
          if unit.reloadIfChanged then "X-ReloadIfChanged=true\n"
          else optionalString (!unit.restartIfChanged) "X-RestartIfChanged=false\n"
        }${optionalString (!unit.stopIfChanged) "X-StopIfChanged=false\n"
        }${optionalString unit.notSocketActivated "X-NotSocketActivated=true\n"
        }${directives unit.serviceConfig}'';
    };
    socket = {
      module = {
        options = { socketConfig = section; listenStreams = names; listenDatagrams = names; };
      };
      body = unit: ''
        [Socket]
        ${directives ({ ListenStream = unit.listenStreams; ListenDatagram = unit.listenDatagrams; } // unit.socketConfig)}'';
    };
    timer = {
      module = { options.timerConfig = section; };
      body = unit: "[Timer]\n${directives unit.timerConfig}";
    };
    path = {
      module = { options.pathConfig = section; };
      body = unit: "[Path]\n${directives unit.pathConfig}";
    };
    slice = {
      module = { options.sliceConfig = section; };
      body = unit: "[Slice]\n${directives unit.sliceConfig}";
    };
    target = { module = { }; body = _: ""; };
    mount = {
      module = {
        options = {
          what = mkOption { type = types.str; };
          where = mkOption { type = types.str; };
          type = mkOption { type = types.str; default = ""; };
          options = mkOption { type = types.commas; default = ""; };
          mountConfig = section;
        };
      };
      body = unit: "[Mount]\n${directives ({
        What = unit.what;
        Where = unit.where;
        Type = if unit.type == "" then null else unit.type;
        Options = if unit.options == "" then null else unit.options;
      } // unit.mountConfig)}";
    };
    automount = {
      module = {
        options = { where = mkOption { type = types.str; }; automountConfig = section; };
      };
      body = unit: "[Automount]\n${directives ({ Where = unit.where; } // unit.automountConfig)}";
    };
  };

  # --- text ---------------------------------------------------------------------------------------

  showScalar = v: if builtins.isBool v then lib.boolToString v else toString v;
  directives = set: concatStringsSep "" (mapAttrsToList
    (key: v: concatMapStrings (one: optionalString (one != null) "${key}=${showScalar one}\n") (lib.toList v))
    set);

  unitText = kind: unit:
    let
      body = kinds.${kind}.body unit;
      install = directives {
        WantedBy = if unit.wantedBy == [ ] then null else concatStringsSep " " unit.wantedBy;
      };
    in
    "[Unit]\n${directives unit.unitConfig}"
    + optionalString (body != "") "\n${body}"
    + optionalString (install != "") "\n[Install]\n${install}";

  # --- the tree -----------------------------------------------------------------------------------

  rawModule = {
    options = linkOptions // {
      text = mkOption { type = types.nullOr types.str; default = null; };
      unit = mkOption { type = types.nullOr types.unspecified; default = null; description = "Ready-made directory that holds the unit."; };
    };
  };

  toRaw = kind: unit: {
    inherit (unit) aliases enable overrideStrategy requiredBy upheldBy wantedBy;
    text = unitText kind unit;
  };

  # Each unit has a store directory of its own: if the file itself were /nix/store/HASH-foo.service,
  # systemd would take the link to it for an alias.
  unitDir = name: unit:
    if unit.unit != null then unit.unit
    else pkgs.runCommand "unit-${safeName name}" { inherit (unit) text; file = name; } ''
      mkdir "$out"
      printf %s "$text" > "$out/$file"
    '';

  # The directory that a manager reads. First there are files, the unit files taken over from elsewhere
  # if they exist, and what the packages bring; then our units come, as files or as drop-ins of those;
  # then the links. wants: { "multi-user.target" = [ further units ]; }
  unitTree = { type, units, files ? [ ], packages ? [ ], wants ? { }, finish ? "" }:
    let
      quote = escapeShellArg;
      write = name: unit:
        let source = quote "${unitDir name unit}/${name}"; in
        if unit.text == null && unit.unit == null then ""
        else if unit.overrideStrategy == "asDropin" then "drop ${quote name} ${if unit.enable then source else "/dev/null"}\n"
        else if !unit.enable then "ln -sfn /dev/null ${quote name}\n"
        else "if [ -e ${quote name} ]; then drop ${quote name} ${source}; else set -- \"$@\" ${source}; fi\n";

      enabled = filterAttrs (_: u: u.enable) units;
      links = lib.zipAttrsWith (_: lib.concatLists) (
        mapAttrsToList (target: names: { "${target}.wants" = names; }) wants
        ++ lib.concatLists (mapAttrsToList
          (name: u:
            map (t: { "${t}.wants" = [ name ]; }) u.wantedBy
            ++ map (t: { "${t}.requires" = [ name ]; }) u.requiredBy
            ++ map (t: { "${t}.upholds" = [ name ]; }) u.upheldBy)
          enabled));
    in
    pkgs.runCommand "${type}-units" { } ''
      drop() { mkdir -p "$1.d"; ln -sfn "$2" "$1.d/overrides.conf"; }
      mkdir "$out"
      cd "$out"

      set --
      for file in ${lib.escapeShellArgs files}; do [ ! -e "$file" ] || set -- "$@" "$file"; done
      [ $# = 0 ] || ln -s "$@" .
      for package in ${lib.escapeShellArgs packages}; do
        for file in "$package/etc/systemd/${type}"/* "$package/lib/systemd/${type}"/*; do
          case $file in
            *.wants | *.requires | *.upholds | */'*') ;;
            *.d) mkdir -p "''${file##*/}"; ln -sf "$file"/* "''${file##*/}/" ;;
            *) ln -sf "$file" . ;;
          esac
        done
      done

      set --
      ${lib.concatStrings (mapAttrsToList write units)}
      [ $# = 0 ] || ln -s "$@" .

      ${lib.concatStrings (mapAttrsToList
        (name: u: concatMapStrings (alias: "ln -sfn ${quote name} ${quote alias}\n") u.aliases)
        enabled)}
      ${optionalString (links != { }) "mkdir -p ${lib.escapeShellArgs (lib.attrNames links)}"}
      ${lib.concatStrings (mapAttrsToList
        (dir: names: "ln -sfn -t ${quote dir} ${lib.escapeShellArgs (map (n: "../${n}") (lib.unique names))}\n")
        links)}
      ${finish}'';
in
{
  inherit directive safeName toRaw unitTree;
  # The same from plain sections, as Home Manager has them.
  sectionsText = sections: concatStringsSep "\n"
    (mapAttrsToList (title: keys: "[${title}]\n${directives keys}") sections);
  unitType = kind: types.submodule [ unitModule kinds.${kind}.module ];
  rawType = types.submodule rawModule;
}
