"""What systemd-boot would start, given the files of a partition: a model of it, written from its documentation.

It knows nothing of what enact thinks of the same question.
"""

import fnmatch
import functools
import re
from collections import namedtuple

Entry = namedtuple("Entry", "id linux initrds init sort_key machine version left done freed")
Start = namedtuple("Start", "what why")  # what: a generation, or None: nothing boots


def version_key_compare(a, b):
    """The order of versions of the UAPI group: digits as numbers, ~ before all, then - ^ . and letters."""
    valid = re.compile(r"[A-Za-z0-9~\-^.]")
    while True:
        while a and not valid.match(a):
            a = a[1:]
        while b and not valid.match(b):
            b = b[1:]
        if a[:1] == "~" or b[:1] == "~":
            if a[:1] != b[:1]:
                return -1 if a[:1] == "~" else 1
            a, b = a[1:], b[1:]
            continue
        if not a or not b:
            return bool(a) - bool(b)
        for mark in "-^.":
            if a[0] == mark or b[0] == mark:
                if a[0] != b[0]:
                    return -1 if a[0] == mark else 1
                break
        else:
            pattern = re.compile(r"\d*" if a[0].isdigit() or b[0].isdigit() else r"[A-Za-z]*")
            x, y = pattern.match(a).group(), pattern.match(b).group()
            a, b = a[len(x):], b[len(y):]
            if pattern.pattern[1] == "d":
                p, q = int(x or 0), int(y or 0)
            else:
                p, q = x, y
            if p != q:
                return -1 if p < q else 1
            continue
        a, b = a[1:], b[1:]


class Menu:
    def __init__(self, files):
        """@files: path -> a file, with text() and digest(), None where it cannot be read, and owned."""
        self.files = files
        self.entries = sorted(self.read_entries(), key=functools.cmp_to_key(self.compare))

    def lines(self, path):
        for line in (self.files[path].text() or b"").decode("utf-8", "replace").replace("\0", "\n").splitlines():
            line = line.strip()
            if line and not line.startswith("#"):
                key, _, value = line.partition(" ")
                yield key, value.strip()

    def read_entries(self):
        prefix = "/loader/entries/"
        for path, file in self.files.items():
            name = path[len(prefix):]
            if not path.startswith(prefix) or "/" in name or not name.endswith(".conf"):
                continue
            if name[0] == "." or name.startswith("auto-"):
                continue
            found = {"initrd": []}
            for key, value in self.lines(path):
                if key == "initrd":
                    found[key].append(self.normal(value))
                else:
                    found[key] = value
            kernel = self.normal(found.get("linux", ""))
            if kernel not in self.files:
                continue  # hidden
            counter = re.search(r"\+(\d+)(?:-(\d+))?\.conf$", name)
            init = [word[5:] for word in found.get("options", "").split() if word.startswith("init=")]
            yield Entry(name, kernel, found["initrd"], init, found.get("sort-key"), found.get("machine-id", ""),
                        found.get("version", ""), int(counter[1]) if counter else None,
                        int(counter[2] or 0) if counter else None, not file.owned)

    @staticmethod
    def normal(path):
        return "/" + path.replace("\\", "/").strip("/").lower()

    @staticmethod
    def compare(a, b):
        if (a.left == 0) != (b.left == 0):
            return 1 if a.left == 0 else -1
        if (a.sort_key is None) != (b.sort_key is None):
            return 1 if a.sort_key is None else -1
        if a.sort_key is not None:
            for x, y in ((a.sort_key, b.sort_key), (a.machine, b.machine)):
                if x != y:
                    return -1 if x < y else 1
            order = version_key_compare(b.version, a.version)
            if order:
                return order
        order = version_key_compare(b.id, a.id)
        if order or a.left is None or b.left is None:
            return order
        return (a.left < b.left) - (a.left > b.left) or (a.done > b.done) - (a.done < b.done)

    def chosen(self):
        """The entry that boots if nobody touches anything, and why that one."""
        conf = "/loader/loader.conf"
        pattern = None
        if conf in self.files:
            for key, value in self.lines(conf):
                if key == "default":
                    pattern = value.lower()
        for entry in self.entries:
            if pattern and fnmatch.fnmatchcase(entry.id, pattern):
                return entry, "default"
        return (self.entries[0], "order") if self.entries else (None, "no entries")

    def system(self, entry, systems):
        """The generation that an entry boots, complete; else None and what is wrong."""
        for initrd in entry.initrds:
            if initrd not in self.files:
                return None, "its initrd is missing"
        for number, system in systems.items():
            if entry.init != [system["init"]]:
                continue
            if self.files[entry.linux].digest() != system["kernel"]:
                return None, "its kernel has other bytes"
            if [self.files[path].digest() for path in entry.initrds] != [system["initrd"]]:
                return None, "its initrd has other bytes"
            return int(number), ""
        return None, "it is no system's"

    def start(self, systems):
        entry, why = self.chosen()
        if not entry:
            return Start(None, why)
        number, wrong = self.system(entry, systems)
        if number is None:
            return Start(None, f"{why}, but {wrong}")
        return Start(number, why + (", read from a free cluster" if entry.freed else ""))

    def complete(self, systems):
        """The generations that have an entry which boots them whole."""
        return {number for number, _ in (self.system(entry, systems) for entry in self.entries)} - {None}
