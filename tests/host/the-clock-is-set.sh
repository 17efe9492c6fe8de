# The clock is set back a year, and forward two, in mid-switch: nobody is late by that, what is newest in
# the log is what came last, and a rollback leads to the system before. Only enact's own programs see
# that clock: it is put before the C library's, since containers share the machine's.

needs enact
needs cc
host web

# Programs of enact read the seconds to add to the time from /run/clock.
cc -shared -fPIC -O2 -o "$(host_dir web)/root/usr/lib/clock.so" -x c - << 'C'
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *ts) {
        int r = (int) syscall(SYS_clock_gettime, id, ts);
        long seconds = 0;
        FILE *f;

        if (r < 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE))
                return r;
        f = fopen("/run/clock", "re");
        if (f && fscanf(f, "%ld", &seconds) == 1)
                ts->tv_sec += seconds;
        if (f)
                fclose(f);
        return 0;
}

time_t time(time_t *t) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        if (t)
                *t = ts.tv_sec;
        return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        tv->tv_sec = ts.tv_sec;
        tv->tv_usec = ts.tv_nsec / 1000;
        return 0;
}
C
on web sh -ec 'mkdir "${1%/*}/real"; mv "$1" "${1%/*}/real/"
    printf "#!/bin/sh\nexec env LD_PRELOAD=/usr/lib/clock.so ${1%/*}/real/enact-activate \"\$@\"\n" > "$1"
    chmod +x "$1"' - /usr/libexec/enact/enact-activate

year=$((365 * 24 * 60 * 60))

# clock SECONDS: it is that much fast
clock() {
    write web /run/clock <<< "$1"
}

system() {
    configuration web "$1" << NIX
{
  systemd.services.greeter = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = { ExecStart = "/bin/sleep 1001"; Environment = "OF=$1"; };
  };
  system.activationScripts.hold = "/usr/local/bin/hold-here";
}
NIX
    built web "$1"
}

# runs NAME: and everybody says that this was the last switch
runs() {
    is "$(running_of web)" "${!1}"
    is "$(profile_of web)" "${!1}"
    active web greeter.service
    same_pid web steady.service "$steady"
    eventually 30 at_its_end web
    on web enact log --json
    is "$(said | jq -r '.entries[0].to')" "${!1}" "the newest of the log"
}

# during SECONDS COMMAND...: the clock is set so while the switch is held
during() {
    hold web
    begin switch web "${@:2}"
    eventually 30 held web
    clock "$1"
    let_go web
}

steady=$(pid_of web steady.service)
one=$(system one)
two=$(system two)
three=$(system three)

step "set back a year"
on web enact switch --store-path "$one"
during "-$year" enact switch --store-path "$two"
ends switch 0
runs two

step "a year ago, another switch, and a rollback from it"
on web enact switch --store-path "$three"
runs three
on web enact rollback
runs two
on web enact rollback
runs one

step "set forward two years: nothing is late"
during "$year" enact switch --store-path "$three"
ends switch 0
says_not "dead" "Rolled back"
runs three

step "killed, and set back again: it is ended, and then another one is made"
during 0 enact switch --store-path "$two"
ends switch 0
hold web
begin switch web enact switch --store-path "$one"
eventually 30 held web
clock "-$year"
on web systemctl kill --signal=KILL "$(engine_of web)"
let_go web
ends switch 3
is "$(running_of web)" "$two"
on web enact log --json
is "$(said | jq -c '[.entries[].exit]')" "[3,0,0,0,0,0,0,0]" "the outcomes, newest first"
is "$(said | jq '[.entries[].id] == ([.entries[].id] | sort | reverse)')" true "whether the log is in order of ids"
on web enact status
says "exit code 3"
