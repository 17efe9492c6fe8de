# The engine, its root side, its recovery and enact itself are killed right at a call that changes something, before
# it or after it: the host is wholly the old or wholly the new system, nothing is left over, the next switch works.
# It may take 900 s.

needs enact
# shellcheck source=tests/crash-matrix/words.sh
. "$checkout/tests/crash-matrix/words.sh"
matrix_host web
faults_are_exact web

spread_holds web 26 5 '^kill'
