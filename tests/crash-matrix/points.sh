# shellcheck shell=bash
# Making points out of calls, and choosing among them. words.sh says what a point is.

# faults: for each recorded call on standard input, the points that are made of it. What is tried on the way from a
# to b and what from b to a is spread over both, since one leads to the other.
faults() {
    awk -v FS='\t' -v OFS='\t' '
        function point(fault, from) {
            if (from == "" || from == $6) { $5 = fault; print }
        }
        {
            way = $1 == "switch"
            point("kill-before", way ? "a" : "")
            if ($7 == "process") # a child that was not made is none that could be left
                next
            point("kill-after", way ? "b" : "")
            if ($2 ~ /^(run|dead-man)$/ && $7 != "words") point("power", way ? (NR % 2 ? "a" : "b") : "")
            if ($7 == "file" && $3 ~ /^(write|writev|pwrite64|fsync|fdatasync|syncfs|rename|link|symlink|mkdir|open|mount|umount)/ && $2 != "enact") {
                # All three on the way there; on the ways back each call fails in one of them.
                if (way || NR % 3 == 0) point("ENOSPC", way ? "a" : "")
                if (way || NR % 3 == 1) point("EIO", way ? "b" : "")
                if (way || NR % 3 == 2) point("EROFS", way ? (NR % 2 ? "b" : "a") : "")
            }
        }'
}

# spread N SEED: N of the points on standard input, from each kind of place as many as from the others
spread() {
    awk -v FS='\t' -v OFS='\t' -v seed="$2" 'BEGIN { srand(seed) } { print rand(), $1 $2 $5 $8, $0 }' | sort -g |
        awk -v FS='\t' -v OFS='\t' '{ print n[$2]++, $0 }' | sort -s -n | cut -f4- | awk -v n="$1" 'NR <= n'
}
