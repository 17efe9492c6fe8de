# shellcheck shell=bash
# Each host gets a cgroup of its own, or hosts would see each other's processes and freezing one
# would freeze all. They lie below the runner's own cgroup, in each hierarchy that systemd uses.

# cgroups_parents: the directories to make cgroups in, one line for each hierarchy
cgroups_parents() {
    local root type path

    while read -r _ root type _; do
        case $type in
        cgroup2)
            path=$(sed -n 's/^0:://p' /proc/self/cgroup)
            ;;
        cgroup)
            [ "${root##*/}" = systemd ] || continue
            path=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup)
            ;;
        *)
            continue
            ;;
        esac
        printf '%s\n' "$root${path%/}"
    done < /proc/self/mounts
}

# cgroups_remove: remove those on standard input, one a line, with all below them. Their processes
# are dead, but the kernel may still be at it.
cgroups_remove() {
    local dir tries

    while IFS= read -r dir; do
        for ((tries = 0; tries < 100; tries++)); do
            [ -d "$dir" ] || break
            find "$dir" -depth -type d -exec rmdir {} + 2> /dev/null && break
            sleep 0.02
        done
    done
}
