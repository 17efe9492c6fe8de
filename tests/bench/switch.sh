# shellcheck shell=bash
# What tests/bench/switch does in its host: switches there and back by enact, and by systemctl with
# the jobs that enact was seen to give. It writes what was told and timed; switch-table reads that.
# shellcheck disable=SC2154  # lib.sh has the words and the places

needs enact
host web

# units N VERSION: that many, which are loaded and active; one of twenty is of that version. Those that
# never change start without a process, so that thousands of them are up at once.
units() {
    cat << NIX
{ pkgs, ... }:
let
  units = name: script: pkgs.runCommand "bench-\${name}" { } ''
    mkdir -p "\$out/lib/systemd/system"
    cd "\$out/lib/systemd/system"
    i=0
    while [ "\$i" -lt $1 ]; do
      case \$((i % 20)) in
        7) changes=1 ;;
        *) changes= ;;
      esac
      \${script}
      i=\$((i + 1))
    done
  '';
in {
  systemd.packages = [
    (units "same-$1" ''
      [ "\$changes" ] || printf '[Unit]\nDescription=Unit %s of the benchmark\n\n[Service]\nType=oneshot\nRemainAfterExit=true\nExecStop=/bin/true\n' "\$i" > "bench-\$i.service"
      printf '[Unit]\nWants=bench-%s.service\n' "\$i" >> bench.target
    '')
    (units "changed-$1-$2" ''
      [ -z "\$changes" ] || printf '[Unit]\nDescription=Unit %s of the benchmark\n\n[Service]\nType=oneshot\nRemainAfterExit=true\nExecStart=/bin/true\nEnvironment=VERSION=$2\n' "\$i" > "bench-\$i.service"
    '')
  ];
}
NIX
}

write web /root/floor << 'END'
#!/bin/bash
# floor TOPLEVEL: the jobs in /root/jobs as systemctl does them; prints when each step was done. The
# clock goes on between the two halves; the table leaves the script out of both sides.
now() { printf '%s ' "${EPOCHREALTIME/./}"; }

give() {
    [ ! -s "/root/jobs/$1" ] || xargs systemctl "${1##*-}" < "/root/jobs/$1"
}

now
give first-stop
now
"$1/activate" > /dev/null 2>&1
now
systemctl daemon-reload
now
for jobs in restart-restart after-reload after-restart after-start; do
    give "$jobs"
done
now
END
on web chmod +x /root/floor

# by_enact TOPLEVEL NAME: its story goes into the results
by_enact() {
    ask web enact switch --json --store-path "$1" > "$BENCH_RESULTS/$2" 2> "$place/last/err"
}

# by_systemctl TOPLEVEL NAME STORY: the jobs that the story tells of
by_systemctl() {
    local file

    rm -rf "$place/jobs"
    "$checkout/tests/bench/switch-table" --jobs "$place/jobs" "$BENCH_RESULTS/$3"
    for file in "$place"/jobs/*; do
        write web "/root/jobs/${file##*/}" < "$file"
    done
    ask web /root/floor "$1" > "$BENCH_RESULTS/$2"
    ask web rm -r /root/jobs
}

for n in $BENCH_SIZES; do
    step "$n units"
    configuration web one <<< "$(units "$n" 1)"
    configuration web two <<< "$(units "$n" 2)"
    one=$(built web one)
    two=$(built web two)
    on web enact switch --store-path "$one"
    on web systemctl start bench.target
    active web bench-0.service

    # The first way there and back finds nothing cached, and tells which jobs there are.
    by_enact "$two" "$n-there-jobs"
    by_enact "$one" "$n-back-jobs"
    for ((round = 1; round <= BENCH_ROUNDS; round++)); do
        step "$n units, round $round"
        by_enact "$two" "$n-there-$round-enact"
        by_systemctl "$one" "$n-back-$round-floor" "$n-back-jobs"
        by_systemctl "$two" "$n-there-$round-floor" "$n-there-jobs"
        by_enact "$one" "$n-back-$round-enact"
    done
done
