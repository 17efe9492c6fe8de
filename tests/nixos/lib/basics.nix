# The plain functions of nixpkgs' lib that configurations and this library call: same names, same
# answers. Nothing here knows of modules.
let
  inherit (builtins)
    attrNames attrValues concatLists concatMap concatStringsSep elem elemAt filter foldl' genList
    getAttr hasAttr head isAttrs isBool isFloat isFunction isInt isList isPath isString length
    listToAttrs mapAttrs match replaceStrings split stringLength substring tail toJSON;
in
rec {
  inherit (builtins)
    add all any attrNames attrValues catAttrs concatLists concatMap concatStringsSep deepSeq elem
    elemAt filter foldl' fromJSON functionArgs genList getAttr groupBy hasAttr head intersectAttrs
    isAttrs isBool isFloat isFunction isInt isList isPath isString length lessThan listToAttrs
    mapAttrs match partition readFile removeAttrs replaceStrings seq split splitVersion
    stringLength substring tail toJSON trace zipAttrsWith;

  id = x: x;
  const = x: _: x;
  flip = f: a: b: f b a;
  pipe = foldl' (value: f: f value);
  fix = f: let self = f self; in self;
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  boolToString = b: if b then "true" else "false";
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  warn = message: builtins.trace "warning: ${message}";
  warnIf = condition: message: if condition then warn message else id;
  assertMsg = condition: message: condition || throw message;
  functionArgsOf = f: if f ? __functor then functionArgsOf (f.__functor f) else builtins.functionArgs f;

  # Lists
  singleton = x: [ x ];
  range = first: last: if first > last then [ ] else genList (n: first + n) (last - first + 1);
  optional = condition: x: if condition then [ x ] else [ ];
  optionals = condition: xs: if condition then xs else [ ];
  flatten = x: if isList x then concatMap flatten x else [ x ];
  toList = x: if isList x then x else [ x ];
  unique = foldl' (seen: x: if elem x seen then seen else seen ++ [ x ]) [ ];
  subtractLists = gone: filter (x: !elem x gone);
  remove = gone: filter (x: x != gone);
  last = xs: elemAt xs (length xs - 1);
  init = xs: genList (elemAt xs) (length xs - 1);
  take = n: xs: genList (elemAt xs) (min n (length xs));
  drop = n: xs: genList (i: elemAt xs (i + n)) (max 0 (length xs - n));
  reverseList = xs: let n = length xs; in genList (i: elemAt xs (n - 1 - i)) n;
  imap0 = f: xs: genList (i: f i (elemAt xs i)) (length xs);
  imap1 = f: imap0 (i: f (i + 1));
  foldr = f: end: xs: foldl' (acc: x: f x acc) end (reverseList xs);
  findFirst = wanted: default: xs:
    let found = filter wanted xs; in if found == [ ] then default else head found;
  count = wanted: xs: length (filter wanted xs);
  forEach = xs: f: map f xs;
  sort = builtins.sort;
  naturalSort = sort builtins.lessThan;
  sortOn = key: sort (a: b: key a < key b);
  zipListsWith = f: xs: ys: genList (i: f (elemAt xs i) (elemAt ys i)) (min (length xs) (length ys));

  # Attribute sets
  nameValuePair = name: value: { inherit name value; };
  optionalAttrs = condition: set: if condition then set else { };
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  concatMapAttrs = f: set: foldl' (a: b: a // b) { } (mapAttrsToList f set);
  filterAttrs = wanted: set:
    removeAttrs set (filter (name: !wanted name set.${name}) (attrNames set));
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  attrsToList = mapAttrsToList nameValuePair;
  getAttrs = names: set: genAttrs names (name: set.${name});
  attrByPath = path: default: set:
    if path == [ ] then set
    else if isAttrs set && set ? ${head path} then attrByPath (tail path) default set.${head path}
    else default;
  hasAttrByPath = path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  getAttrFromPath = path: attrByPath path (throw "no attribute '${concatStringsSep "." path}'");
  setAttrByPath = path: value:
    if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  recursiveUpdate = a: b:
    a // mapAttrs
      (name: value:
        if isAttrs value && isAttrs (a.${name} or null) then recursiveUpdate a.${name} value else value)
      b;
  mergeAttrsList = foldl' (a: b: a // b) { };
  foldlAttrs = f: start: set: foldl' (acc: name: f acc name set.${name}) start (attrNames set);
  isDerivation = x: isAttrs x && (x.type or null) == "derivation";
  composeManyExtensions = overlays: final: prev:
    foldl' (acc: overlay: acc // overlay final (prev // acc)) { } overlays;

  # Strings
  optionalString = condition: text: if condition then text else "";
  concatStrings = concatStringsSep "";
  concatMapStrings = f: xs: concatStrings (map f xs);
  concatMapStringsSep = sep: f: xs: concatStringsSep sep (map f xs);
  concatMapAttrsStringSep = sep: f: set: concatStringsSep sep (mapAttrsToList f set);
  concatLines = concatMapStrings (line: line + "\n");
  intersperse = sep: xs: drop 1 (concatMap (x: [ sep x ]) xs);
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix = suffix: text:
    let extra = stringLength text - stringLength suffix; in
    extra >= 0 && substring extra (-1) text == suffix;
  hasInfix = infix: text: length (split (escapeRegex infix) text) > 1;
  removePrefix = prefix: text:
    if hasPrefix prefix text then substring (stringLength prefix) (-1) text else text;
  removeSuffix = suffix: text:
    if hasSuffix suffix text
    then substring 0 (stringLength text - stringLength suffix) text
    else text;
  escape = chars: replaceStrings chars (map (c: "\\${c}") chars);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg = x: "'${replaceStrings [ "'" ] [ "'\\''" ] (toString x)}'";
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  stringToCharacters = text: genList (i: substring i 1 text) (stringLength text);
  splitString = sep: text: filter isString (split (escapeRegex sep) text);
  stringLines = text: splitString "\n" text;
  trim = text: let m = match "[[:space:]]*(.*[^[:space:]])[[:space:]]*" text; in
    if m == null then "" else head m;
  upperLetters = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lowerLetters = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  toLower = replaceStrings upperLetters lowerLetters;
  toUpper = replaceStrings lowerLetters upperLetters;
  fixedWidthString = width: filler: text:
    if stringLength text >= width then text else fixedWidthString width filler (filler + text);
  makeSearchPath = dir: packages: concatMapStringsSep ":" (p: "${p}/${dir}") (filter (p: p != null) packages);
  makeBinPath = makeSearchPath "bin";
  isStringLike = x: isString x || isPath x || (isAttrs x && (x ? outPath || x ? __toString));
  isStorePath = x: isStringLike x && dirOf' (toString x) == builtins.storeDir;
  dirOf' = path: builtins.dirOf (builtins.unsafeDiscardStringContext path);
  versionAtLeast = a: b: builtins.compareVersions a b >= 0;
  versionOlder = a: b: builtins.compareVersions a b < 0;

  # Packages
  getName = p: p.pname or p.name;
  getExe = p: getExe' p (p.meta.mainProgram or (getName p));
  getExe' = p: program: "${p}/bin/${program}";
  getBin = id;
  getLib = id;

  # Names and texts of programs that read Nix values
  generators = {
    toJSON = _: toJSON;
    toKeyValue = { mkKeyValue ? (k: v: "${k}=${generators.valueToString v}"), listsAsDuplicateKeys ? false, ... }: set:
      concatLines (concatLists (mapAttrsToList
        (k: v: map (mkKeyValue k) (if listsAsDuplicateKeys then toList v else [ v ]))
        set));
    toINI = args: set: concatStringsSep "\n" (mapAttrsToList
      (section: keys: "[${section}]\n" + generators.toKeyValue args keys)
      set);
    valueToString = v: if isBool v then boolToString v else toString v;
  };
}
