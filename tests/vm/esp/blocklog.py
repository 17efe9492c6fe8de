"""What qemu's blklogwrites has written: each write and each flush of a disk, in order."""

import struct

MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
SECTOR = 512


def entries(path, sectors):
    """Yields ("write", offset, bytes), ("flush",) and ("mark", words); marks are writes to the last of @sectors."""
    with open(path, "rb") as log:
        magic, version, count, size = struct.unpack("<QQQI", log.read(28))
        if magic != MAGIC or version != 1 or size != SECTOR:
            raise ValueError(f"{path} is no log of writes")
        log.seek(SECTOR)
        for _ in range(count):
            head = log.read(SECTOR)
            sector, n_sectors, flags, _ = struct.unpack("<QQQQ", head[:32])
            if flags & FLUSH:
                yield ("flush",)
            if flags & DISCARD:
                yield ("write", sector * SECTOR, bytes(n_sectors * SECTOR))
                continue
            if not n_sectors:
                continue
            data = log.read(n_sectors * SECTOR)
            if len(data) != n_sectors * SECTOR:
                raise ValueError(f"{path} ends within a write")
            if sector == sectors - 1 and data.startswith(b"MARK "):
                yield ("mark", data[5:].rstrip(b"\0").decode().split())
            else:
                yield ("write", sector * SECTOR, data)
            if flags & FUA:
                yield ("flush",)
