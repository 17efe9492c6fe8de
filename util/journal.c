/*
 * Messages to the journal that never wait: sd_journal_send() does, for room in the socket of a
 * journald that hangs, and nothing of ours may hang with it. What cannot be sent at once is lost.
 */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "journal.h"

#define JOURNAL_SOCKET    "/run/systemd/journal/socket"
#define MESSAGE_BYTES_MAX ((size_t) 128 * 1024) /* what surely fits into a datagram */

static int connect_journal(void) {
        static const struct sockaddr_un address = {
                .sun_family = AF_UNIX,
                .sun_path = JOURNAL_SOCKET,
        };
        _cleanup_close_ int fd = -EBADF;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, &address, sizeof(address)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* "NAME=value\n", or, so that a value may have newlines: "NAME\n", its length in 64 bits, value,
 * "\n". */
static char *append_field(char *end, const char *field) {
        const char *equals = strchr(field, '=');
        size_t n = strlen(equals + 1);
        uint64_t length = htole64(n);

        if (!strchr(field, '\n')) {
                end = stpcpy(end, field);
                *end++ = '\n';
                return end;
        }
        end = mempcpy(end, field, (size_t) (equals - field));
        *end++ = '\n';
        end = mempcpy(end, &length, sizeof(length));
        end = mempcpy(end, equals + 1, n);
        *end++ = '\n';
        return end;
}

/**
 * journal_send() - one message
 * @fields: each "NAME=value"
 *
 * Source: systemd's native journal protocol.
 *
 * Return: 0, -EMSGSIZE if it is too long, -EAGAIN if journald does not keep up, -ENOENT or
 * -ECONNREFUSED if there is none, -ENOMEM.
 */
int journal_send(const StringList *fields) {
        _cleanup_free_ char *message = NULL;
        _cleanup_close_ int fd = -EBADF;
        size_t room = 0;
        char *end;

        for (size_t i = 0; i < fields->n; i++) {
                if (!strchr(fields->items[i], '='))
                        return -EINVAL;
                room += strlen(fields->items[i]) + sizeof(uint64_t) + 3;
        }
        if (room > MESSAGE_BYTES_MAX)
                return -EMSGSIZE;

        message = end = malloc(room + 1);
        if (!message)
                return -ENOMEM;
        for (size_t i = 0; i < fields->n; i++)
                end = append_field(end, fields->items[i]);

        fd = connect_journal();
        if (fd < 0)
                return fd;
        return send(fd, message, (size_t) (end - message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ?
                       -errno :
                       0;
}
