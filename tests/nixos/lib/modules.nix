# Modules: options declared in one place, set in many, merged by priority and type.
#
# A definition travels as { file, value }. Properties (mkIf, mkMerge, mkOverride, mkOrder) are pushed
# towards the options, never evaluated on the way: so a module may look at `config` in a condition.
lib:
let
  inherit (builtins)
    attrNames concatMap concatStringsSep elem filter foldl' genericClosure head isAttrs
    isBool isFunction isList isPath isString length mapAttrs match partition removeAttrs sort
    toJSON zipAttrsWith;

  isProperty = x: isAttrs x && elem (x._type or null) [ "if" "merge" "override" "order" ];

  defaultPriority = 100;
  optionDefaultPriority = 1500;
  defaultOrder = 1000;

  # --- words --------------------------------------------------------------------------------------

  showName = name: if match "[A-Za-z_][A-Za-z0-9_'-]*" name != null then name else toJSON name;
  showOption = path: concatStringsSep "." (map showName path);

  showValue = depth: x:
    if isAttrs x then
      if lib.isDerivation x then "<derivation ${x.name}>"
      else if isProperty x then "<${x._type}>"
      else if depth == 0 then "{ ... }"
      else "{ ${lib.concatStrings (lib.mapAttrsToList (n: v: "${showName n} = ${showValue (depth - 1) v}; ") x)}}"
    else if isList x then
      if depth == 0 then "[ ... ]" else "[ ${lib.concatMapStrings (v: showValue (depth - 1) v + " ") x}]"
    else if isFunction x then "<function>"
    else if isPath x then toString x
    else toJSON x;

  showFiles = files: lib.concatMapStringsSep " and " (f: "`${f}'") files;

  showDefinitions = defs:
    lib.concatMapStrings (d: "\n- In `${d.file}': ${showValue 2 d.value}") defs;

  # --- reading modules ----------------------------------------------------------------------------

  # A module in any spelling (path, function, attribute set) as { key, file, imports, options, config,
  # freeform }. Only path modules have a key of their own, so that importing one twice is harmless.
  readModule = baseArgs: config: key: file: module:
    if isPath module || (isString module && lib.hasPrefix "/" module) then
      readModule baseArgs config (toString module) (toString module) (import module)
    else if isFunction module || (isAttrs module && module ? __functor) then
      readModule baseArgs config key file (module (baseArgs // namedArgs baseArgs config file module))
    else if isAttrs module then
      structure key (toString (module._file or file)) module
    else
      throw "${file}: a module is a path, a function or an attribute set, not ${showValue 1 module}";

  namedArgs = baseArgs: config: file: f: mapAttrs
    (name: _: baseArgs.${name} or (config._module.args.${name} or (throw
      "${file}: the module asks for an argument `${name}', which neither specialArgs nor _module.args has")))
    (lib.functionArgsOf f);

  structure = key: file: module:
    let
      sections = [ "imports" "options" "config" "freeformType" "disabledModules" "meta" "_file" "_class" "key" ];
      strays = attrNames (removeAttrs module sections);
      isSplit = module ? options || module ? config;
    in
    if isSplit && strays != [ ] then
      throw "${file}: next to `options' or `config' a module may not set `${head strays}'; write `config.${head strays}'"
    else {
      key = module.key or key;
      inherit file;
      imports = module.imports or [ ];
      options = module.options or { };
      config =
        if isProperty module then module
        else if isSplit then module.config or { }
        else removeAttrs module [ "imports" "freeformType" "disabledModules" "meta" "_file" "_class" "key" ];
      freeform = module.freeformType or null;
    };

  readAll = baseArgs: config: modules:
    let
      read = parent: file: lib.imap1
        (n: m: readModule baseArgs config "${parent}:${toString n}" (if file == null then "module ${toString n}" else file) m);
    in
    genericClosure {
      startSet = read "" null modules;
      operator = m: read m.key m.file m.imports;
    };

  # --- properties ---------------------------------------------------------------------------------

  # A definition of an attribute set as several without properties at their top, each property handed
  # down to the members.
  pushDown = def:
    let
      again = value: pushDown (def // { inherit value; });
      wrap = property: map (d: d // { value = mapAttrs (_: content: property // { inherit content; }) d.value; })
        (again def.value.content);
      type = if isAttrs def.value then def.value._type or null else null;
    in
    if type == "merge" then concatMap again def.value.contents
    else if elem type [ "if" "override" "order" ] then wrap def.value
    else if isAttrs def.value then [ def ]
    else throw "In `${def.file}': an attribute set is wanted at `${showOption def.path}', not ${showValue 1 def.value}";

  # A definition of an option as those that hold, with priority and order.
  discharge = def:
    let
      again = changes: value: discharge (def // changes // { inherit value; });
      x = def.value;
      type = if isAttrs x then x._type or null else null;
    in
    if type == "merge" then concatMap (again { }) x.contents
    else if type == "if" then
      if !isBool x.condition then throw "In `${def.file}': the condition of mkIf is not a boolean"
      else if x.condition then again { } x.content
      else [ ]
    # The outermost counts, as in mkForce (mkDefault x).
    else if type == "override" then again { priority = def.priority or x.priority; } x.content
    else if type == "order" then again { order = def.order or x.priority; } x.content
    else [ def ];

  # --- merging ------------------------------------------------------------------------------------

  # What the definitions of one option come to. The type decides how equals are merged; priorities
  # and order are settled here, for every type alike.
  mergeDefinitions = path: type: defs:
    let
      held = concatMap discharge defs;
      priorityOf = d: d.priority or defaultPriority;
      top = foldl' (a: d: lib.min a (priorityOf d)) 9999 held;
      strongest = filter (d: priorityOf d == top) held;
      orderOf = d: d.order or defaultOrder;
      winners =
        if lib.any (d: d ? order) strongest then sort (a: b: orderOf a < orderOf b) strongest else strongest;
      misfits = filter (d: !type.check d.value) winners;
    in
    {
      isDefined = winners != [ ];
      definitions = winners;
      priority = top;
      value =
        if winners == [ ] then
          type.emptyValue.value or (throw "The option `${showOption path}' is used but nothing defines it.")
        else if misfits != [ ] then
          throw "A definition for option `${showOption path}' is not of type `${type.description}'. Definition values:${showDefinitions misfits}"
        else
          type.merge path (map (d: { inherit (d) file value; }) winners);
    };

  isOption = x: isAttrs x && (x._type or null) == "option";

  # Several modules may declare one option only if its type knows how to become one (submodules).
  oneDeclaration = path: decls:
    let
      first = head decls;
      types = map (d: d.option.type or types'.unspecified) decls;
      files = concatStringsSep ", " (map (d: "`${d.file}'") decls);
      join = a: b: a.typeMerge b;
      joined = foldl' (a: b: if a == null then null else join a b) (head types) (lib.tail types);
    in
    if length decls == 1 then first.option // { type = head types; }
    else if joined == null then throw "The option `${showOption path}' is declared more than once: in ${files}."
    else foldl' (a: d: d.option // a) { } decls // { type = joined; };
  types' = lib.types;

  evalOption = path: decls: defs:
    let
      option = oneDeclaration path decls;
      default = lib.optional (option ? default) {
        file = (head decls).file;
        value = mkOverride optionDefaultPriority option.default;
      };
      merged = mergeDefinitions path option.type (defs ++ default);
      readOnlyClash = (option.readOnly or false) && length defs > (if option ? default then 0 else 1);
    in
    option // {
      _type = "option";
      loc = path;
      inherit (merged) isDefined;
      files = map (d: d.file) merged.definitions;
      definitions = map (d: d.value) merged.definitions;
      definitionsWithLocations = map (d: { inherit (d) file value; }) merged.definitions;
      highestPrio = merged.priority;
      declarations = map (d: d.file) decls;
      value =
        if readOnlyClash then throw "The option `${showOption path}' is read-only, but is set:${showDefinitions defs}"
        else (option.apply or lib.id) merged.value;
      __toString = _: showOption path;
    };

  # One level of the option tree: decls are { file, options }, defs { file, value } of the same path.
  # unknown: definitions that no option awaits, each with its path.
  mergeLevel = path: decls: defs:
    let
      declsOf = zipAttrsWith (_: lib.id)
        (map (d: mapAttrs (_: options: { inherit (d) file; inherit options; }) d.options) decls);
      defsOf = zipAttrsWith (_: lib.id)
        (map (d: mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value)
          (concatMap (d: pushDown (d // { inherit path; })) defs));
      nodes = mapAttrs
        (name: ds:
          let
            here = path ++ [ name ];
            sides = partition (d: isOption d.options) ds;
            ours = defsOf.${name} or [ ];
          in
          if sides.right == [ ] then mergeLevel here ds ours
          else if sides.wrong != [ ] then
            throw "The option `${showOption here}' in `${(head sides.right).file}' has options below it in `${(head sides.wrong).file}'."
          else
            let option = evalOption here (map (d: { inherit (d) file; option = d.options; }) ds) ours; in {
              inherit (option) value;
              options = option;
              unknown = [ ];
            })
        declsOf;
      strays = removeAttrs defsOf (attrNames declsOf);
    in
    {
      value = mapAttrs (_: n: n.value) nodes;
      options = mapAttrs (_: n: n.options) nodes;
      unknown =
        concatMap (n: n.unknown) (lib.attrValues nodes)
        ++ lib.mapAttrsToList (name: ds: { path = path ++ [ name ]; defs = ds; }) strays;
    };

  internalModule = {
    _file = "lib/modules.nix";
    options._module = {
      args = mkOption { type = lib.types.lazyAttrsOf lib.types.raw; default = { }; };
      check = mkOption { type = lib.types.bool; default = true; };
      freeformType = mkOption { type = lib.types.raw; default = null; };
    };
  };

  unknownOption = { path, defs }: throw
    ("The option `${showOption path}' does not exist. Definition values:${showDefinitions defs}");

  # The whole: modules in, { config, options, extendModules } out. prefix: where a submodule hangs.
  evalModules = { modules, specialArgs ? { }, prefix ? [ ] }:
    let
      baseArgs = { inherit extendModules lib options; config = whole; } // specialArgs;
      read = readAll baseArgs whole ([ internalModule ] ++ modules);
      level = mergeLevel prefix
        (map (m: { inherit (m) file options; }) read)
        (map (m: { inherit (m) file; value = m.config; }) read);

      freeform = lib.findFirst (t: t != null) whole'.freeformType (map (m: m.freeform) read);
      whole' = level.value._module;
      # Freeform catches what hangs directly here; a stray further down is still a mistake.
      caught = partition (u: freeform != null && length u.path == length prefix + 1) level.unknown;
      freeformValue = freeform.merge prefix (concatMap
        (u: map (d: { inherit (d) file; value = { ${lib.last u.path} = d.value; }; }) u.defs)
        caught.right);

      # Unchecked, for the modules themselves: the check needs every module's names.
      whole = if freeform == null then level.value else freeformValue // level.value;
      options = level.options;
      checked =
        if whole'.check && caught.wrong != [ ] then unknownOption (head caught.wrong)
        else removeAttrs whole [ "_module" ];

      extendModules = more: evalModules {
        modules = modules ++ more.modules or [ ];
        specialArgs = specialArgs // more.specialArgs or { };
        inherit prefix;
      };
    in
    {
      _type = "configuration";
      config = checked;
      moduleArgs = whole'.args;
      inherit extendModules options;
    };

  mkOption = attrs: attrs // { _type = "option"; };
  mkOverride = priority: content: { _type = "override"; inherit priority content; };
  mkOrder = priority: content: { _type = "order"; inherit priority content; };
in
{
  inherit
    defaultPriority discharge evalModules isOption mergeDefinitions mkOption mkOrder mkOverride pushDown
    showDefinitions showOption showValue;

  mkIf = condition: content: { _type = "if"; inherit condition content; };
  mkMerge = contents: { _type = "merge"; inherit contents; };
  mkDefault = mkOverride 1000;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkOptionDefault = mkOverride optionDefaultPriority;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  mkEnableOption = what: mkOption {
    type = lib.types.bool;
    default = false;
    example = true;
    description = "Whether to enable ${what}.";
  };
  mkPackageOption = pkgs: name: { default ? name, nullable ? false, ... }: mkOption {
    type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
    default = if default == null then null else lib.getAttrFromPath (lib.toList default) pkgs;
    description = "The ${lib.last (lib.toList name)} package.";
  };

  # An old name that still works; where there are warnings, with one.
  mkRenamedOptionModule = from: to: { config, options, ... }:
    let old = lib.getAttrFromPath from options; in {
      options = lib.setAttrByPath from (mkOption { type = (lib.getAttrFromPath to options).type; visible = false; });
      config = lib.mkIf old.isDefined (lib.mkMerge [
        (lib.optionalAttrs (options ? warnings) {
          warnings = [
            "The option `${showOption from}' defined in ${showFiles old.files} has been renamed to `${showOption to}'."
          ];
        })
        (lib.setAttrByPath to (lib.mkMerge old.definitions))
      ]);
    };
}
