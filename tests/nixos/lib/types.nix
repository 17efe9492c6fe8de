# Option types. `check` looks at one definition only as deep as it must; `merge` joins those of equal
# priority: path -> [ { file, value } ] -> value.
lib:
let
  inherit (builtins)
    all concatMap concatStringsSep elem filter foldl' head isAttrs isBool isFloat isFunction isInt
    isList isString length mapAttrs match zipAttrsWith;
  inherit (lib) mergeDefinitions showDefinitions showOption;

  conflict = path: defs: throw (
    "The option `${showOption path}' has conflicting definition values:${showDefinitions defs}\n"
    + "Use `lib.mkForce value' or `lib.mkDefault value' to say which of them wins.");

  # Twice the same is no conflict.
  mergeEqual = path: defs:
    if all (d: d.value == (head defs).value) defs then (head defs).value else conflict path defs;
  mergeOnly = path: defs: if length defs == 1 then (head defs).value else conflict path defs;

  mkType = { name, description ? name, check ? _: true, merge ? mergeEqual, emptyValue ? { }, ... }@attrs:
    let
      self = {
        _type = "option-type";
        inherit name description check merge emptyValue;
        # null: two declarations of this type can't be one option
        typeMerge = other: if other.name == name && other.description == description then self else null;
      } // attrs;
    in
    self;

  simple = name: description: check: mkType { inherit name description check; };
  integer = name: low: high: mkType {
    inherit name;
    description =
      if high == null then "integer of at least ${toString low}"
      else "integer between ${toString low} and ${toString high} (both inclusive)";
    check = x: isInt x && x >= low && (high == null || x <= high);
  };
  # The same for numbers with a fraction, too.
  fraction = name: range: allowed: mkType {
    inherit name;
    description = "integer or floating point number ${range}";
    check = x: (isInt x || isFloat x) && allowed x;
  };
  # Strings of equal priority are joined, in order.
  joined = name: description: sep: mkType {
    inherit name description;
    check = isString;
    merge = _: defs: concatStringsSep sep (map (d: d.value) defs);
    emptyValue.value = "";
  };
  ofType = t: "of ${t.description}";

  # Each member by its own priority; a member whose every definition is an mkIf that does not hold is
  # absent. lazy: keep such members (as failures), so that the names need no evaluation.
  attrsOfWith = { elemType, lazy }: mkType {
    name = if lazy then "lazyAttrsOf" else "attrsOf";
    description = "attribute set ${ofType elemType}";
    check = isAttrs;
    emptyValue.value = { };
    merge = path: defs:
      let
        members = zipAttrsWith
          (name: mergeDefinitions (path ++ [ name ]) elemType)
          (map (d: mapAttrs (_: value: { inherit (d) file; inherit value; }) d.value)
            (concatMap (d: lib.pushDown (d // { inherit path; })) defs));
      in
      mapAttrs (_: m: m.value) (if lazy then members else lib.filterAttrs (_: m: m.isDefined) members);
    typeMerge = other:
      let t = elemType.typeMerge (other.elemType or types.unspecified); in
      if other.name == (if lazy then "lazyAttrsOf" else "attrsOf") && t != null
      then attrsOfWith { elemType = t; inherit lazy; } else null;
    inherit elemType;
  };

  submoduleOf = { modules, specialArgs ? { } }:
    let
      evaluate = path: defs: lib.evalModules {
        modules = modules ++ map
          (d: if isAttrs d.value then { _file = d.file; config = d.value; }
          else { _file = d.file; imports = [ d.value ]; })
          defs;
        specialArgs = { name = lib.last path; } // specialArgs;
        prefix = path;
      };
    in
    mkType {
      name = "submodule";
      check = x: isAttrs x || isFunction x || builtins.isPath x;
      merge = path: defs: (evaluate path defs).config;
      emptyValue.value = { };
      getSubModules = modules;
      typeMerge = other:
        if other.name == "submodule" then submoduleOf { modules = modules ++ other.getSubModules; inherit specialArgs; }
        else null;
    };

  types = rec {
    unspecified = simple "unspecified" "unspecified value" (_: true);
    raw = mkType { name = "raw"; description = "raw value"; merge = mergeOnly; };
    anything = mkType {
      name = "anything";
      merge = path: defs:
        if all (d: isAttrs d.value && !lib.isDerivation d.value) defs
        then (lazyAttrsOf anything).merge path defs
        else mergeEqual path defs;
    };

    bool = simple "bool" "boolean" isBool;
    boolByOr = bool // { merge = _: builtins.any (d: d.value); };
    int = simple "int" "signed integer" isInt;
    float = simple "float" "floating point number" isFloat;
    number = simple "number" "number" (x: isInt x || isFloat x);
    numbers = {
      between = low: high: fraction "numberBetween" "between ${toString low} and ${toString high} (both inclusive)"
        (x: x >= low && x <= high);
      nonnegative = fraction "numberNonnegative" "of at least 0" (x: x >= 0);
      positive = fraction "numberPositive" "of more than 0" (x: x > 0);
    };
    ints = {
      unsigned = integer "unsigned" 0 null;
      positive = integer "positive" 1 null;
      between = integer "between";
      u8 = integer "u8" 0 255;
      u16 = integer "u16" 0 65535;
      u32 = integer "u32" 0 4294967295;
    };
    port = ints.u16;

    str = simple "str" "string" isString;
    nonEmptyStr = simple "nonEmptyStr" "string that is not empty" (x: isString x && lib.trim x != "");
    singleLineStr = simple "singleLineStr" "string of one line" (x: isString x && !lib.hasInfix "\n" x);
    strMatching = pattern: simple "strMatching ${pattern}" "string matching the pattern ${pattern}"
      (x: isString x && match pattern x != null);
    separatedString = joined "separatedString" "string";
    lines = joined "lines" "lines of text" "\n";
    commas = joined "commas" "comma-separated string" ",";
    envVar = joined "envVar" "colon-separated string" ":";

    path = simple "path" "absolute path" (x: lib.isStringLike x && lib.hasPrefix "/" (toString x));
    pathInStore = simple "pathInStore" "path in the store"
      (x: lib.isStringLike x && lib.hasPrefix "${builtins.storeDir}/" (toString x));
    package = simple "package" "package" (x: lib.isDerivation x || lib.isStorePath x);
    shellPackage = package;

    attrs = mkType {
      name = "attrs";
      description = "attribute set";
      check = isAttrs;
      merge = _: foldl' (acc: d: acc // d.value) { };
      emptyValue.value = { };
    };
    attrsOf = elemType: attrsOfWith { inherit elemType; lazy = false; };
    lazyAttrsOf = elemType: attrsOfWith { inherit elemType; lazy = true; };

    listOf = elemType: mkType {
      name = "listOf";
      description = "list ${ofType elemType}";
      check = isList;
      emptyValue.value = [ ];
      merge = path: defs: map (m: m.value) (filter (m: m.isDefined) (concatMap
        (d: lib.imap1
          (n: value: mergeDefinitions (path ++ [ "[entry ${toString n}]" ]) elemType [{ inherit (d) file; inherit value; }])
          d.value)
        defs));
      inherit elemType;
    };
    nonEmptyListOf = elemType: listOf elemType // {
      description = "non-empty list ${ofType elemType}";
      check = x: isList x && x != [ ];
      emptyValue = { };
    };

    nullOr = t: mkType {
      name = "nullOr";
      description = "null or ${t.description}";
      check = x: x == null || t.check x;
      merge = path: defs:
        let nulls = length (filter (d: d.value == null) defs); in
        if nulls == length defs then null
        else if nulls > 0 then conflict path defs
        else t.merge path defs;
      emptyValue.value = null;
    };
    enum = choices: simple "enum" "one of ${lib.concatMapStringsSep ", " (lib.showValue 0) choices}"
      (x: elem x choices);
    either = a: b: mkType {
      name = "either";
      description = "${a.description} or ${b.description}";
      check = x: a.check x || b.check x;
      merge = path: defs:
        let allAre = t: all (d: t.check d.value) defs; in
        if allAre a then a.merge path defs
        else if allAre b then b.merge path defs
        else conflict path defs;
    };
    oneOf = ts: foldl' either (head ts) (lib.tail ts);

    uniq = t: t // { merge = mergeOnly; };
    unique = _: uniq;
    addCheck = t: extra: t // { check = x: t.check x && extra x; };
    coercedTo = from: convert: to: mkType {
      name = "coercedTo";
      description = "${to.description} or ${from.description} convertible to it";
      check = x: to.check x || (from.check x && to.check (convert x));
      merge = path: defs: to.merge path (map
        (d: d // { value = if from.check d.value && !(to.check d.value) then convert d.value else d.value; })
        defs);
      emptyValue = to.emptyValue;
    };
    functionTo = t: mkType {
      name = "functionTo";
      description = "function that gives ${t.description}";
      check = x: isFunction x || (isAttrs x && x ? __functor);
      merge = path: defs: arg:
        (mergeDefinitions path t (map (d: d // { value = d.value arg; }) defs)).value;
    };

    submodule = modules: submoduleOf { modules = lib.toList modules; };
    submoduleWith = { modules, specialArgs ? { }, ... }: submoduleOf { inherit modules specialArgs; };
    # A configuration that is evaluated elsewhere, e.g. a specialisation's.
    deferredModule = mkType {
      name = "deferredModule";
      description = "module";
      check = x: isAttrs x || isFunction x || builtins.isPath x;
      merge = _: defs: { imports = map (d: { _file = d.file; imports = [ d.value ]; }) defs; };
    };
  };
in
types // { inherit mkType types; }
