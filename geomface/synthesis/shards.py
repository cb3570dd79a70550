"""Tar shards as WebDataset reads them, with the same bytes whenever and wherever they are written.

Source
------
POSIX.1-1988 ustar: 512-byte headers and blocks, two empty blocks at the end, padded to 10,240.
"""

from typing import BinaryIO

from geomface.errors import OutputError

_BLOCK = 512
_RECORD = 20 * _BLOCK


class ShardWriter:
    """Writes files one after the other into a tar; no owner, no time, so no trace of the run.

    Parameters
    ----------
    stream : an open binary file at its beginning
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._place = 0

    def add(self, name: str, data: bytes) -> tuple[int, int]:
        """Append a file and return where its bytes begin and how many there are.

        Raises
        ------
        OutputError : a name longer than the header holds.
        """
        self._write(_header(name, len(data)))
        start = self._place
        self._write(data)
        self._write(bytes(-len(data) % _BLOCK))
        return start, len(data)

    def finish(self) -> None:
        """Write the end of the archive."""
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self._place % _RECORD))

    def _write(self, data: bytes) -> None:
        self._stream.write(data)
        self._place += len(data)


def _header(name: str, size: int) -> bytes:
    encoded = name.encode()
    if len(encoded) > 100:
        raise OutputError(f"{name}: a name in a shard holds at most 100 bytes.")
    fields = (
        encoded.ljust(100, b"\0"),
        b"0000644\0",
        b"0000000\0",
        b"0000000\0",
        b"%011o\0" % size,
        b"00000000000\0",
        b" " * 8,
        b"0",
        bytes(100),
        b"ustar\0" + b"00",
        bytes(32 + 32),
        b"0000000\0" * 2,
        bytes(155 + 12),
    )
    header = b"".join(fields)
    return header[:148] + b"%06o\0 " % sum(header) + header[156:]
