# shellcheck shell=bash disable=SC2154  # lib.sh sets what is not set here
# One worker of tests/crash-matrix/run: it records the points there are, or tries its share of them.

needs enact
# shellcheck source=tests/crash-matrix/words.sh
. "$checkout/tests/crash-matrix/words.sh"
matrix_host web

case $ENACT_MATRIX_DO in
record)
    matrix_points web > "$ENACT_MATRIX/points.new"
    mv "$ENACT_MATRIX/points.new" "$ENACT_MATRIX/points"
    ;;
try)
    while IFS= read -r -u 9 line && [ "$EPOCHSECONDS" -lt "$ENACT_MATRIX_UNTIL" ]; do
        printf '%s\n' "$line" > "$ENACT_MATRIX/at.$ENACT_MATRIX_SHARE"
        point web "$line" > "$place/told" || true
        cat "$place/told" >> "$ENACT_MATRIX/results"
    done 9< "$ENACT_MATRIX/share.$ENACT_MATRIX_SHARE"
    rm -f "$ENACT_MATRIX/at.$ENACT_MATRIX_SHARE"
    ;;
esac
