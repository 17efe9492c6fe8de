# lib: what nixpkgs calls lib, as far as the flakes of the tests and examples use it.
let
  basics = import ./basics.nix;
  lib = basics // modules // {
    inherit lib types;
    strings = basics;
    lists = basics;
    attrsets = basics;
    trivial = basics // { release = "00.00"; };
    version = "00.00-tests";
    literalExpression = text: { _type = "literalExpression"; inherit text; };
    literalMD = text: { _type = "literalMD"; inherit text; };
    utils = import ./systemd-names.nix basics;
    licenses = basics.genAttrs [ "mit" "asl20" "gpl3Plus" "lgpl21Plus" ] (spdx: { inherit spdx; });
    platforms = { linux = [ "x86_64-linux" "aarch64-linux" ]; all = lib.platforms.linux; };
    systems.flakeExposed = lib.platforms.linux;
  };
  modules = import ./modules.nix lib;
  types = import ./types.nix lib;
in
lib
