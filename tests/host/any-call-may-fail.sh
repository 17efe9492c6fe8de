# A write, a sync, a rename, a link or another call of the engine that changes files fails, for want of room, of a sound
# disk or of leave to write: the switch ends well all the same, or the host is as it was, and nothing is left over.
# It may take 900 s.

needs enact
# shellcheck source=tests/crash-matrix/words.sh
. "$checkout/tests/crash-matrix/words.sh"
matrix_host web

step "where it went wrong once: the end of the record, the locks of who recovers, the failed generation's link"
points_where web 1 switch 2 run 3 fsync 5 '^E' 8 commit 9 '^/var/lib/enact$' | tail -n 1 > "$books/once"
points_where web 1 recover 3 openat 5 '^E' 9 'lock$' | tail -n 2 >> "$books/once"
points_where web 1 bad 3 openat 5 '^E' 9 'system.lock$' | tail -n 1 >> "$books/once"
points_hold web < "$books/once"

spread_holds web 20 5 '^E'
