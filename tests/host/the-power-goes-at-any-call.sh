# The host's power goes right after a call of the engine that changes something, during a switch and during a
# rollback: what boots is wholly the old or wholly the new system, nothing is left over, the next switch works.
# It may take 900 s.

needs enact
# shellcheck source=tests/crash-matrix/words.sh
. "$checkout/tests/crash-matrix/words.sh"
matrix_host web

spread_holds web 18 5 power
