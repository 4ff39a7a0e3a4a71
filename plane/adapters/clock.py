"""The machine's clock and fresh ids."""

import datetime as dt
import os


class SystemClock:
    """Wall time and UUIDv7 (RFC 9562 §5.7): ids sort by creation to the millisecond."""

    def now(self) -> dt.datetime:
        """UTC, with time zone."""
        return dt.datetime.now(dt.UTC)

    def id(self) -> str:
        """A fresh UUIDv7 as text."""
        millis = int(self.now().timestamp() * 1000)
        noise = int.from_bytes(os.urandom(10), "big")
        bits = millis << 80 | 0x7 << 76 | (noise >> 66 & 0xFFF) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
        text = f"{bits:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
