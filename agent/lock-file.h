#pragma once

#include <stdint.h>

#include "json.h"
#include "macros.h"

/* What an input is held at. */
typedef struct LockedInput {
        char *path;        /* "nixpkgs", "home-manager/nixpkgs" */
        char *revision;    /* or another mark of its content; "": nothing is known */
        char *reference;   /* where it comes from, as people write it:
                              "github:NixOS/nixpkgs/nixos-24.05" */
        uint64_t modified; /* seconds since 1970; 0: not known */
} LockedInput;

/* The inputs of a flake, by path; those that follow others are left out. */
typedef struct LockFile {
        LockedInput *inputs;
        size_t n;
} LockFile;

int lock_file_parse(const char *text, size_t n, LockFile *lock);
int lock_file_read(const char *directory, LockFile *lock);
const LockedInput *lock_file_find(const LockFile *lock, const char *path);
void lock_file_done(LockFile *lock);
