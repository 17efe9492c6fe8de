# Hundreds of random pairs of systems on one host: the plan is the model's, the dry run tells what the live run
# does, what it tells is what happens to the units, and there and back all is as it was. ENACT_TEST_SEED goes another way,
# ENACT_TEST_SECONDS farther.

needs enact
needs python3
host web

seed=${ENACT_TEST_SEED:-$((10#$(date +%j%H%M)))}
steady=$(pid_of web steady.service)
"$checkout/tests/random-live" --host "$(host_pid web)" --seed "$seed" --seconds "${ENACT_TEST_SECONDS:-45}" \
    --pairs "${ENACT_TEST_PAIRS:-1000}" || fail "the walk with ENACT_TEST_SEED=$seed went astray"
same_pid web steady.service "$steady"
is "$(ask web systemctl is-system-running)" running
