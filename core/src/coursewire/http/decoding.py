"""Bodies of answers, decompressed with a running count, so that a small answer cannot fill the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

STEP_BYTES = 256 * 1024
"""Bytes that are decompressed at once."""

_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})


class UnusableAnswerError(httpx.RemoteProtocolError):
    """An answer that is not read, and that another try would not make any better."""


class OversizeError(UnusableAnswerError):
    """An answer is larger than the limit, as it comes or decompressed."""


class EncodingError(UnusableAnswerError):
    """An answer is encoded in a way that nobody asked for."""


async def body_of(response: httpx.Response, max_bytes: int) -> bytes:
    """Return the body of an answer that is still to be read, decompressed.

    Args:
        response: Answer with its stream.
        max_bytes: Largest size, both as it comes and decompressed.

    Raises:
        OversizeError: It is larger.
        EncodingError: It has several codings, or one that was not asked for.
        httpx.DecodingError: It is not what its coding says.
    """
    coding = _coding(response)
    chunks = _counted(response.aiter_raw(), max_bytes)
    if coding is None:
        return b"".join([chunk async for chunk in chunks])
    body, inflater = bytearray(), _Inflater(coding)
    try:
        async for chunk in chunks:
            for piece in inflater.pieces(chunk):
                body += piece
                if len(body) > max_bytes:
                    raise _oversize(max_bytes)
    except zlib.error as error:
        raise httpx.DecodingError(f"the answer is not {coding}, as it says") from error
    if not inflater.is_whole:
        raise httpx.DecodingError(f"the answer ends within its {coding} data")
    return bytes(body)


def _oversize(max_bytes: int) -> OversizeError:
    return OversizeError(f"the answer is larger than {max_bytes} bytes")


async def _counted(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise _oversize(max_bytes)
        yield chunk


def _coding(response: httpx.Response) -> str | None:
    told = ",".join(response.headers.get_list("content-encoding"))
    names = [name for part in told.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not names:
        return None
    if len(names) > 1:
        raise EncodingError(f"the answer has {len(names)} content encodings, one inside the other")
    if names[0] not in _CODINGS:
        raise EncodingError(f"the answer has the content encoding {names[0][:40]!r}, which was not asked for")
    return names[0]


class _Inflater:
    """A decompressor of gzip with one or more members, and of deflate with or without the header of zlib."""

    def __init__(self, coding: str) -> None:
        self._gzip = coding != "deflate"
        self._zlib = zlib.decompressobj(31 if self._gzip else 15)
        self._begun = False

    @property
    def is_whole(self) -> bool:
        """True where nothing came, or all that was begun has ended."""
        return not self._begun or self._zlib.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what a chunk becomes, in pieces of one step at most, so that the caller can stop in between."""
        more = bool(data)
        while more:
            if self._zlib.eof:
                if not self._gzip or not data.startswith(b"\x1f\x8b"):
                    return  # what follows the data is no part of it
                self._zlib = zlib.decompressobj(31)
            piece = self._step(data)
            yield piece
            data = self._zlib.unconsumed_tail or self._zlib.unused_data
            # A full piece may have left output behind although all input is used up.
            more = bool(data) or (len(piece) == STEP_BYTES and not self._zlib.eof)

    def _step(self, data: bytes) -> bytes:
        first, self._begun = not self._begun, True
        try:
            return self._zlib.decompress(data, STEP_BYTES)
        except zlib.error:
            if self._gzip or not first:
                raise
            self._zlib = zlib.decompressobj(
                -15
            )  # deflate without zlib's header, as some servers take the word
            return self._zlib.decompress(data, STEP_BYTES)
