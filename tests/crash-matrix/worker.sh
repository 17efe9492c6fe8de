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
    # By the system that they begin in: where the host is at it already, no switch to it is needed.
    for letter in a b; do
        awk -F'\t' -v letter="$letter" '$6 == letter' "$ENACT_MATRIX/share.$ENACT_MATRIX_SHARE" > "$place/from-$letter"
    done
    exec 8< "$place/from-a" 9< "$place/from-b"
    while [ "$EPOCHSECONDS" -lt "$ENACT_MATRIX_UNTIL" ]; do
        case $at in
        a) IFS= read -r -u 8 line || IFS= read -r -u 9 line || break ;;
        b) IFS= read -r -u 9 line || IFS= read -r -u 8 line || break ;;
        esac
        printf '%s\n' "$line" > "$ENACT_MATRIX/at.$ENACT_MATRIX_SHARE"
        point web "$line" > "$place/told" || true
        cat "$place/told" >> "$ENACT_MATRIX/results"
    done
    rm -f "$ENACT_MATRIX/at.$ENACT_MATRIX_SHARE"
    ;;
esac
