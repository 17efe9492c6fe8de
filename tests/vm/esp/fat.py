"""Reads FAT as EDK2's driver does, which is more forgiving than a check of the file system.

A file is read by its size and its first cluster, and the table is asked only for what follows that one: a file of
one cluster is readable also when its cluster is marked free. Of a chain that ends too early nothing is read.
"""

import array
import hashlib
import struct

FREE, SPECIAL = 0, 0x0FFFFFF7
FOLDER, LABEL, LONG_NAME = 0x10, 0x08, 0x0F
FOLDER_CLUSTERS_MAX = 4096
RISING = memoryview(array.array("I", range(1 << 18)))


class Fat:
    def __init__(self, image):
        """@image: whatever can be sliced, bytes of the partition; it may change while this looks at it."""
        self.image = image
        boot = bytes(image[0:96])
        if boot[0] not in (0xEB, 0xE9):
            raise ValueError("no FAT")
        sector, per_cluster, reserved, fats = struct.unpack_from("<HBHB", boot, 11)
        root_entries, total16 = struct.unpack_from("<HH", boot, 17)
        per_fat16 = struct.unpack_from("<H", boot, 22)[0]
        total, per_fat, _, _, root = struct.unpack_from("<IIHHI", boot, 32)
        if root_entries or per_fat16 or sector != 512 or not per_cluster or fats != 2:
            raise ValueError("no FAT32 as it was made")
        self.cluster_bytes = sector * per_cluster
        self.table = reserved * sector
        self.table_bytes = per_fat * sector
        self.data = self.table + fats * self.table_bytes
        self.root = root
        self.n_clusters = ((total or total16) * sector - self.data) // self.cluster_bytes + 2
        self.entry_of = memoryview(image)[self.table:self.table + self.table_bytes].cast("I")

    def close(self):
        self.entry_of.release()

    def next(self, cluster):
        return self.entry_of[cluster] & 0x0FFFFFFF

    def is_cluster(self, cluster):
        return 2 <= cluster < self.n_clusters

    def offset(self, cluster):
        return self.data + (cluster - 2) * self.cluster_bytes

    def cluster_at(self, offset):
        return (offset - self.data) // self.cluster_bytes + 2

    def folder_clusters(self, first):
        clusters = []
        while self.is_cluster(first) and len(clusters) < FOLDER_CLUSTERS_MAX:
            clusters.append(first)
            first = self.next(first)
        return clusters

    def folder(self, first):
        """Yields (name, attributes, first cluster, size) of what is in a folder."""
        parts, check = {}, None
        for cluster in self.folder_clusters(first):
            at = self.offset(cluster)
            raw = bytes(self.image[at:at + self.cluster_bytes])
            for i in range(0, len(raw), 32):
                slot = raw[i:i + 32]
                if slot[0] == 0:
                    return
                if slot[0] == 0xE5:
                    parts = {}
                    continue
                if slot[11] & 0x3F == LONG_NAME:
                    if slot[0] & 0x40:
                        parts, check = {"n": slot[0] & 0x3F}, slot[13]
                    elif slot[13] != check:
                        parts = {}
                    parts[slot[0] & 0x3F] = slot[1:11] + slot[14:26] + slot[28:32]
                    continue
                name = self.long_name(parts, check, slot) or self.short_name(slot)
                parts = {}
                if slot[11] & LABEL:
                    continue
                high, low, size = *struct.unpack_from("<H", slot, 20), *struct.unpack_from("<HI", slot, 26)
                yield name, slot[11], high << 16 | low, size

    @staticmethod
    def short_name(slot):
        stem, suffix = slot[:8].rstrip(b" ").decode("cp437"), slot[8:11].rstrip(b" ").decode("cp437")
        stem = stem.lower() if slot[12] & 0x08 else stem
        suffix = suffix.lower() if slot[12] & 0x10 else suffix
        return stem + "." + suffix if suffix else stem

    @staticmethod
    def long_name(parts, check, slot):
        if "n" not in parts or set(parts) != {"n", *range(1, parts["n"] + 1)}:
            return None
        total = 0
        for byte in slot[:11]:
            total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
        if total != check:
            return None
        raw = b"".join(parts[i] for i in range(1, parts["n"] + 1)).decode("utf-16-le", "replace")
        return raw.split("\0")[0]

    def walk(self, first=None, path="", depth=0):
        """Yields (path in small letters, is a folder, first cluster, size) of all there is."""
        for name, attributes, cluster, size in self.folder(self.root if first is None else first):
            if name in (".", ".."):
                continue
            below = f"{path}/{name}".lower()
            yield below, bool(attributes & FOLDER), cluster, size
            if attributes & FOLDER and self.is_cluster(cluster) and depth < 8:
                yield from self.walk(cluster, below, depth + 1)

    def runs(self, cluster, size):
        """Where the bytes of a file lie: a tuple of (offset, length); None if they cannot be read."""
        runs = []
        n = -(-size // self.cluster_bytes)
        if self.is_cluster(cluster) and self.entry_of[cluster:cluster + n - 1] == RISING[cluster + 1:cluster + n]:
            return ((self.offset(cluster), size),) if size else ()
        while size > 0:
            if not self.is_cluster(cluster):
                return None
            offset, n = self.offset(cluster), min(size, self.cluster_bytes)
            if runs and sum(runs[-1]) == offset:
                runs[-1] = (runs[-1][0], runs[-1][1] + n)
            else:
                runs.append((offset, n))
            size -= n
            if size > 0:
                cluster = self.next(cluster)
        return tuple(runs)

    def owned(self, cluster, size):
        """Whether the table marks its first cluster as in use."""
        return size == 0 or (self.is_cluster(cluster) and self.next(cluster) != FREE)

    def read(self, runs):
        return b"".join(bytes(self.image[offset:offset + n]) for offset, n in runs)

    def digest(self, runs):
        digest = hashlib.sha256()
        for offset, n in runs:
            digest.update(self.image[offset:offset + n])
        return digest.hexdigest()
