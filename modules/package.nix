# The package: callPackage of nixpkgs fills the arguments.
{ lib
, stdenv
, cjson
, cmocka
, curl
, libsodium
, meson
, ninja
, pkg-config
, systemd
, util-linux
}:
let
  # Without what changes no program: documents, modules, most of the tests.
  parts = [ "activate" "agent" "docs" "docs/man" "meson.build" "meson_options.txt" "tests" "tests/fuzz" "tests/vm" "tests/vm/esp" "units" "util" ];
  root = toString ../.;
  isPart = path:
    let below = lib.removePrefix "${root}/" (toString path); in
    lib.any (part: below == part || (!lib.elem part [ "docs" "tests" "tests/vm" ] && lib.hasPrefix "${part}/" below)) parts;
in
stdenv.mkDerivation {
  pname = "enact";
  version = lib.head (builtins.match ".*\n *version : '([0-9.]+)',\n.*" (builtins.readFile ../meson.build));

  src = builtins.path {
    name = "enact-source";
    path = ../.;
    filter = path: _: isPart path;
  };

  strictDeps = true;
  nativeBuildInputs = [ meson ninja pkg-config ];
  # libmount is util-linux'; cmocka is for the unit tests, which are built and not run here: they are
  # written for a machine, not for a sandbox.
  buildInputs = [ cjson cmocka curl libsodium systemd util-linux ];

  meta = {
    description = "Makes a NixOS machine what its flake says it is, and puts it back if that goes wrong";
    license = lib.licenses.mit;
    platforms = [ "x86_64-linux" "aarch64-linux" ];
    mainProgram = "enact";
  };
}
