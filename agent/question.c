/* Questions to whoever sits at the terminal: yes or no, and no is what silence means. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "macros.h"
#include "question.h"

static void on_signal(_unused_ int sig) {
}

/** question_can_be_asked() - whether somebody is there to read it and to answer. */
bool question_can_be_asked(void) {
        return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool means_yes(const char *answer) {
        static const char *const words[] = { "y", "Y", "yes", "Yes", "YES" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(words[i], answer) == 0)
                        return true;
        return false;
}

/**
 * question_ask() - ask, and wait for a line
 * @text:    without the "[y/N]"
 * @ret_yes: false also for a line that is not understood, and for the end of the input
 *
 * Return: 0; with Interrupted in @reterr_error after Ctrl-C; or an errno of read(2).
 */
int question_ask(const char *text, bool *ret_yes, sd_bus_error *reterr_error) {
        /* Without SA_RESTART, so that Ctrl-C ends the wait. */
        const struct sigaction interrupt = { .sa_handler = on_signal };
        struct sigaction old[3];
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        char answer[64];
        ssize_t n;
        int e;

        fprintf(stderr, "%s [y/N] ", text);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaction(signals[i], &interrupt, &old[i]);
        n = read(STDIN_FILENO, answer, sizeof(answer) - 1);
        e = errno;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaction(signals[i], &old[i], NULL);

        if (n <= 0)
                fputc('\n', stderr);
        if (n < 0 && e == EINTR)
                return sd_bus_error_setf(reterr_error, ENACT_ERROR_INTERRUPTED,
                                         "Interrupted. Nothing was changed.");
        if (n < 0)
                return -e;
        answer[n] = '\0';
        answer[strcspn(answer, "\r\n")] = '\0';
        *ret_yes = means_yes(answer);
        return 0;
}
