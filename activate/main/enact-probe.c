/*
 * enact-probe: one http or tcp probe of the judge, through libcurl, in a process of its own: what a
 * stranger's server answers is read by nobody's account and not by the engine. Nothing but what is
 * asked for is followed: no redirect, no proxy, no cookie, no password file, and a long answer is
 * not read to its end. The answer goes to standard output; exit code 0 if it is the wanted one.
 */
#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "macros.h"
#include "text.h"

#define BODY_BYTES_MAX   ((size_t) 64 * 1024)
#define STATUS_MAX       999U
#define TIMEOUT_MSEC_MAX ((uint64_t) 24 * 3600 * 1000)
#define NOBODY           65534U

typedef struct Question {
        bool connects_only; /* tcp */
        const char *target; /* the URL or "HOST:PORT" */
        uint64_t status;    /* 0: any from 200 to 399 */
        uint64_t timeout_msec;
        size_t n_body;
        char error[CURL_ERROR_SIZE];
} Question;

/* Counts and forgets; answering less than there is ends the transfer. */
static size_t on_body(_unused_ char *data, size_t size, size_t n, void *userdata) {
        Question *question = userdata;

        question->n_body += size * n;
        return question->n_body > BODY_BYTES_MAX ? 0 : size * n;
}

static CURLcode set_up(CURL *transfer, Question *question) {
        const struct {
                CURLoption option;
                long value;
        } numbers[] = {
                { CURLOPT_NOSIGNAL, 1 },
                { CURLOPT_FOLLOWLOCATION, 0 },
                { CURLOPT_CONNECT_ONLY, question->connects_only },
                { CURLOPT_TIMEOUT_MS, (long) question->timeout_msec },
        };
        const struct {
                CURLoption option;
                const char *value;
        } texts[] = {
                { CURLOPT_PROTOCOLS_STR, "http,https" },
                { CURLOPT_PROXY, "" },
                { CURLOPT_USERAGENT, "enact/" ENACT_VERSION },
        };
        _cleanup_free_ char *url = NULL;
        CURLcode code = CURLE_OK;

        if (text_printf(&url, "%s%s", question->connects_only ? "http://" : "", question->target) <
            0)
                return CURLE_OUT_OF_MEMORY;
        for (size_t i = 0; code == CURLE_OK && i < ELEMENTSOF(numbers); i++)
                code = curl_easy_setopt(transfer, numbers[i].option, numbers[i].value);
        for (size_t i = 0; code == CURLE_OK && i < ELEMENTSOF(texts); i++)
                code = curl_easy_setopt(transfer, texts[i].option, texts[i].value);
        if (code == CURLE_OK)
                code = curl_easy_setopt(transfer, CURLOPT_URL, url);
        if (code == CURLE_OK)
                code = curl_easy_setopt(transfer, CURLOPT_WRITEFUNCTION, on_body);
        if (code == CURLE_OK)
                code = curl_easy_setopt(transfer, CURLOPT_WRITEDATA, question);
        if (code == CURLE_OK)
                code = curl_easy_setopt(transfer, CURLOPT_ERRORBUFFER, question->error);
        return code;
}

static const char *words_of(const Question *question, CURLcode code) {
        return *question->error ? question->error : curl_easy_strerror(code);
}

static bool tell_tcp(const Question *question, CURLcode code) {
        puts(code == CURLE_OK ? "it accepts connections" : words_of(question, code));
        return code == CURLE_OK;
}

/* Whether the status that was wanted is there, whatever became of the body. */
static bool tell_http(const Question *question, CURLcode code, long status) {
        bool wanted = question->status > 0 ? (uint64_t) status == question->status :
                                             status >= 200 && status < 400;

        if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && question->n_body > BODY_BYTES_MAX)) {
                printf("%s%s\n", status > 0 ? "an answer that was not finished: " : "",
                       words_of(question, code));
                return false;
        }
        if (!wanted && question->status > 0)
                printf("status %ld, not %ju\n", status, (uintmax_t) question->status);
        else
                printf("status %ld\n", status);
        return wanted;
}

static bool ask(Question *question) {
        CURL *transfer = curl_easy_init();
        long status = 0;
        CURLcode code;
        bool ok;

        code = transfer ? set_up(transfer, question) : CURLE_OUT_OF_MEMORY;
        if (code == CURLE_OK)
                code = curl_easy_perform(transfer);
        if (transfer)
                (void) curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
        ok = question->connects_only ? tell_tcp(question, code) : tell_http(question, code, status);
        curl_easy_cleanup(transfer);
        return ok;
}

static int drop_privileges(void) {
        if (geteuid() != 0)
                return 0;
        return setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                               setresuid(NOBODY, NOBODY, NOBODY) < 0 ?
                       -errno :
                       0;
}

int main(int argc, char **argv) {
        Question question = { 0 };

        if (argc != 5 || text_to_unsigned(argv[3], STATUS_MAX, &question.status) < 0 ||
            text_to_unsigned(argv[4], TIMEOUT_MSEC_MAX, &question.timeout_msec) < 0) {
                fprintf(stderr, "Usage: enact-probe http|tcp TARGET STATUS MILLISECONDS\n");
                return 2;
        }
        question.connects_only = strcmp(argv[1], "tcp") == 0;
        question.target = argv[2];
        if (drop_privileges() < 0) {
                puts("cannot become nobody");
                return 1;
        }
        return ask(&question) ? 0 : 1;
}
