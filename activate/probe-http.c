/*
 * Probes over the network: http and tcp, through libcurl. Nothing but what is asked for is
 * followed: no redirect, no proxy, no cookie, no password file, and a long answer is not read to
 * its end.
 */
#include <errno.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "probe-attempt.h"
#include "text.h"

#define BODY_BYTES_MAX ((size_t) 64 * 1024)

/* Counts and forgets; answering less than there is ends the transfer. */
static size_t on_body(_unused_ char *data, size_t size, size_t n, void *userdata) {
        Attempt *attempt = userdata;

        attempt->n_body += size * n;
        return attempt->n_body > BODY_BYTES_MAX ? 0 : size * n;
}

/* Nothing of the environment and nothing of an earlier attempt has a say. */
static int set_common(CURL *transfer) {
        static const struct {
                CURLoption option;
                long value;
        } numbers[] = {
                { CURLOPT_NOSIGNAL, 1 },          { CURLOPT_FOLLOWLOCATION, 0 },
                { CURLOPT_FRESH_CONNECT, 1 },     { CURLOPT_FORBID_REUSE, 1 },
                { CURLOPT_DNS_CACHE_TIMEOUT, 0 }, { CURLOPT_QUICK_EXIT, 1 },
        };
        static const struct {
                CURLoption option;
                const char *value;
        } texts[] = {
                { CURLOPT_PROTOCOLS_STR, "http,https" },
                { CURLOPT_PROXY, "" },
                { CURLOPT_USERAGENT, "enact/" ENACT_VERSION },
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (curl_easy_setopt(transfer, numbers[i].option, numbers[i].value) != CURLE_OK)
                        return -EIO;
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (curl_easy_setopt(transfer, texts[i].option, texts[i].value) != CURLE_OK)
                        return -EIO;
        return 0;
}

static int set_own(Attempt *attempt) {
        const uint64_t msec = attempt->probe->timeout_usec / USEC_PER_MSEC;
        CURL *transfer = attempt->transfer;

        if (curl_easy_setopt(transfer, CURLOPT_TIMEOUT_MS, msec > 0 ? (long) msec : 1L) ||
            curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_body) ||
            curl_easy_setopt(transfer, CURLOPT_WRITEDATA, attempt) ||
            curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, attempt->curl_error) ||
            curl_easy_setopt(transfer, CURLOPT_PRIVATE, attempt))
                return -EIO;
        return 0;
}

static int set_target(const Attempt *attempt) {
        const bool connects_only = attempt->probe->type == PROBE_TCP;
        _cleanup_free_ char *url = NULL;

        if (text_printf(&url, "%s%s", connects_only ? "http://" : "", attempt->probe->target) < 0 ||
            curl_easy_setopt(attempt->transfer, CURLOPT_URL, url) ||
            curl_easy_setopt(attempt->transfer, CURLOPT_CONNECT_ONLY, connects_only ? 1L : 0L))
                return -EIO;
        return 0;
}

void attempt_start_transfer(Attempt *attempt) {
        attempt->n_body = 0;
        attempt->curl_error[0] = '\0';
        attempt->transfer = curl_easy_init();
        if (attempt->transfer && set_common(attempt->transfer) >= 0 && set_own(attempt) >= 0 &&
            set_target(attempt) >= 0 &&
            curl_multi_add_handle(attempt->curl, attempt->transfer) == CURLM_OK)
                return;
        attempt_drop_transfer(attempt);
        attempt_end(attempt, false, "cannot be asked: libcurl refuses it");
}

/* Whether the status that was wanted is there, whatever became of the body. */
static void end_http(Attempt *attempt, CURLcode code) {
        const Probe *probe = attempt->probe;
        long status = 0;
        bool wanted;

        (void) curl_easy_getinfo(attempt->transfer, CURLINFO_RESPONSE_CODE, &status);
        wanted = probe->status > 0 ? (uint64_t) status == probe->status :
                                     status >= 200 && status < 400;
        if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && attempt->n_body > BODY_BYTES_MAX)) {
                attempt_end(attempt, false, "%s%s",
                            status > 0 ? "an answer that was not finished: " : "",
                            *attempt->curl_error ? attempt->curl_error : curl_easy_strerror(code));
                return;
        }
        if (!wanted && probe->status > 0)
                attempt_end(attempt, false, "status %ld, not %llu", status,
                            (unsigned long long) probe->status);
        else
                attempt_end(attempt, wanted, "status %ld", status);
}

void attempt_end_transfer(Attempt *attempt, CURLcode code) {
        if (attempt->probe->type == PROBE_HTTP)
                end_http(attempt, code);
        else if (code == CURLE_OK)
                attempt_end(attempt, true, "it accepts connections");
        else
                attempt_end(attempt, false, "%s",
                            *attempt->curl_error ? attempt->curl_error : curl_easy_strerror(code));
        attempt_drop_transfer(attempt);
}

void attempt_drop_transfer(Attempt *attempt) {
        if (!attempt->transfer)
                return;
        (void) curl_multi_remove_handle(attempt->curl, attempt->transfer);
        curl_easy_cleanup(attempt->transfer);
        attempt->transfer = NULL;
}
