# systemd's way to write a path as (a part of) a unit name, as systemd-escape(1) does it.
lib:
let
  inherit (builtins) listToAttrs substring;
  # Everything printable but letters, digits and ":_."; "/" has its own rule. Quoted one by one
  # since Nix has no ord().
  hexOf = listToAttrs (map (e: { name = substring 2 1 e; value = "\\x${substring 0 2 e}"; }) [
    "20 " "21!" "22\"" "23#" "24$" "25%" "26&" "27'" "28(" "29)" "2a*" "2b+" "2c," "2d-" "3b;"
    "3c<" "3d=" "3e>" "3f?" "40@" "5b[" "5c\\" "5d]" "5e^" "60`" "7b{" "7c|" "7d}" "7e~"
  ]);
  escapeChar = c: if c == "/" then "-" else hexOf.${c} or c;
in
rec {
  escapeSystemdPath = path:
    let
      parts = lib.filter (p: p != "") (lib.splitString "/" (toString path));
      escaped = lib.concatMapStrings escapeChar (lib.stringToCharacters (lib.concatStringsSep "/" parts));
    in
    if parts == [ ] then "-"
    else if lib.hasPrefix "." escaped then "\\x2e" + lib.removePrefix "." escaped
    else escaped;

  escapeSystemdExecArg = arg: builtins.toJSON (lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (toString arg));
  escapeSystemdExecArgs = lib.concatMapStringsSep " " escapeSystemdExecArg;
}
