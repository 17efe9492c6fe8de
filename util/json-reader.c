/*
 * Long JSON, front to back: whoever reads a list of thousands takes one element at a time, and its
 * texts where they lie, so that there is never a tree of them all. What is not simple is left to
 * cJSON.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "json-reader.h"

#define VALUE_BEGINS "{[\"-0123456789tfn" /* cJSON would skip other things before it */

static size_t rest(const JsonReader *reader) {
        return (size_t) (reader->end - reader->at);
}

static bool is_at(const JsonReader *reader, char c) {
        return rest(reader) > 0 && *reader->at == c;
}

static void skip_blanks(JsonReader *reader) {
        while (is_at(reader, ' ') || is_at(reader, '\n') || is_at(reader, '\t') ||
               is_at(reader, '\r'))
                reader->at++;
}

static bool skip(JsonReader *reader, char c) {
        skip_blanks(reader);
        if (!is_at(reader, c))
                return false;
        reader->at++;
        return true;
}

/**
 * json_reader_begin() - stand at the start of a text
 * @text: @n bytes, which must outlive the reader; it writes into them
 *
 * Return: 0, or -EBADMSG if there is a NUL byte in it.
 */
int json_reader_begin(JsonReader *reader, char *text, size_t n) {
        *reader = (JsonReader){ .at = text, .end = text + n };
        return memchr(text, '\0', n) ? -EBADMSG : 0;
}

/** json_reader_open() - go into an object ('{') or array ('['); 0, or -EBADMSG if there is none. */
int json_reader_open(JsonReader *reader, char bracket) {
        if (!skip(reader, bracket))
                return -EBADMSG;
        reader->opened = true;
        return 0;
}

/**
 * json_reader_next() - go to the next member or element, or behind the last
 * @bracket: the closing one
 *
 * What it stands at then must be read before this is asked again.
 *
 * Return: JSON_READER_MORE, 0 behind the last, -EBADMSG.
 */
int json_reader_next(JsonReader *reader, char bracket) {
        bool first = reader->opened;

        reader->opened = false;
        if (skip(reader, bracket))
                return 0;
        return first || skip(reader, ',') ? JSON_READER_MORE : -EBADMSG;
}

/**
 * json_reader_value() - read what stands here, with all that is in it
 * @ret_value: owned by the caller
 *
 * Return: 0 or -EBADMSG.
 */
int json_reader_value(JsonReader *reader, cJSON **ret_value) {
        const char *end;
        cJSON *value;

        skip_blanks(reader);
        if (rest(reader) == 0 || !strchr(VALUE_BEGINS, *reader->at))
                return -EBADMSG;
        if ((is_at(reader, '{') || is_at(reader, '[')) &&
            json_is_too_deep(reader->at, rest(reader)))
                return -EBADMSG;

        value = cJSON_ParseWithLengthOpts(reader->at, rest(reader), &end,
                                          /* require_null_terminated= */ false);
        if (!value)
                return -EBADMSG;
        reader->at += end - reader->at;
        *ret_value = value;
        return 0;
}

/* A text with escapes in it; what they stand for is never longer than they are. */
static int read_escaped(JsonReader *reader, const char **ret_text) {
        _cleanup_(cJSON_Deletep) cJSON *value = NULL;
        char *place = reader->at;
        int r;

        r = json_reader_value(reader, &value);
        if (r < 0)
                return r;
        assert(strlen(value->valuestring) < (size_t) (reader->at - place));
        *ret_text = strcpy(place, value->valuestring);
        return 0;
}

/**
 * json_reader_text() - read a text
 * @ret_text: lies in the reader's own; NULL if it is something else that stands here and was read
 *
 * Return: 0 or -EBADMSG.
 */
int json_reader_text(JsonReader *reader, const char **ret_text) {
        _cleanup_(cJSON_Deletep) cJSON *other = NULL;
        char *text, *end;

        skip_blanks(reader);
        if (!is_at(reader, '"')) {
                *ret_text = NULL;
                return json_reader_value(reader, &other);
        }

        text = reader->at + 1;
        end = memchr(text, '"', rest(reader) - 1);
        if (!end)
                return -EBADMSG;
        if (memchr(text, '\\', (size_t) (end - text)))
                return read_escaped(reader, ret_text);

        *end = '\0';
        reader->at = end + 1;
        *ret_text = text;
        return 0;
}

/**
 * json_reader_key() - read the name of a member; its value is next
 * @ret_key: lies in the reader's own text
 *
 * Return: 0 or -EBADMSG.
 */
int json_reader_key(JsonReader *reader, const char **ret_key) {
        const char *key;
        int r;

        r = json_reader_text(reader, &key);
        if (r < 0)
                return r;
        if (!key || !skip(reader, ':'))
                return -EBADMSG;
        *ret_key = key;
        return 0;
}

/** json_reader_end() - whether nothing but blanks is left; 0 or -EBADMSG. */
int json_reader_end(JsonReader *reader) {
        skip_blanks(reader);
        return rest(reader) == 0 ? 0 : -EBADMSG;
}
