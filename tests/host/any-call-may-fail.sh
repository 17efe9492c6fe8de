# A write, a sync, a rename, a link or another call of the engine that changes files fails, for want of room, of a sound
# disk or of leave to write: the switch ends well all the same, or the host is as it was, and nothing is left over.
# It may take 900 s.

needs enact
# shellcheck source=tests/crash-matrix/words.sh
. "$checkout/tests/crash-matrix/words.sh"
matrix_host web

spread_holds web 24 5 '^E'
