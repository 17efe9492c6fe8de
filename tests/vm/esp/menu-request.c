/*
 * menu-request ESP DEFAULT [counted=TOPLEVEL] [tries=N] [blessed=TOPLEVEL]: what the transaction
 * asks of the writer of the boot menu around a trial boot, and install-boot-menu has no option for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "menu-writer.h"
#include "text.h"
#include "transaction.h"

int main(int argc, char **argv) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        BootOutcome outcome = { 0 };
        MenuRequest request = { 0 };
        const char *value;
        int r;

        if (argc < 3)
                return 2;
        request.esp_path = argv[1];
        request.default_toplevel = argv[2];
        for (int i = 3; i < argc; i++) {
                if ((value = text_after_prefix(argv[i], "counted=")))
                        request.counted_toplevel = value;
                else if ((value = text_after_prefix(argv[i], "blessed=")))
                        request.blessed_toplevel = value;
                else if ((value = text_after_prefix(argv[i], "tries=")))
                        request.tries = (unsigned) strtoul(value, NULL, 10);
                else
                        return 2;
        }
        r = menu_writer_run(&request, &TRANSACTION_PLACES_HOST, &outcome, &error);
        if (r < 0)
                fprintf(stderr, "%s\n", error.message ? error.message : strerror(-r));
        for (size_t i = 0; i < outcome.notes.n; i++)
                fprintf(stderr, "%s\n", outcome.notes.items[i]);
        boot_outcome_done(&outcome);
        sd_bus_error_free(&error);
        return r < 0;
}
