# Hundreds of random pairs of systems on one host: the plan is the model's, the dry run tells what the live run
# does, what it tells is what happens to the units, and there and back all is as it was. ENACT_TEST_SEED goes another way,
# ENACT_TEST_PAIRS and ENACT_TEST_SECONDS farther.

needs enact
needs python3
host web

# The same way each time, so that a failure is news of what was changed.
seed=${ENACT_TEST_SEED:-21}
steady=$(pid_of web steady.service)
"$checkout/tests/random-live" --host "$(host_pid web)" --seed "$seed" --seconds "${ENACT_TEST_SECONDS:-60}" \
    --pairs "${ENACT_TEST_PAIRS:-225}" || fail "the walk with ENACT_TEST_SEED=$seed went astray"
same_pid web steady.service "$steady"
is "$(ask web systemctl is-system-running)" running
