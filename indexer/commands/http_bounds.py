"""HTTP/1.1 as the site speaks it: uvicorn's compiled protocol, with a bound on what is neither head nor body yet."""

from __future__ import annotations

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_UNFINISHED: Final = 64 << 10  # bytes
REFUSAL: Final = b"the head of the request is larger than 64 KiB\n"
TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s"
) % (len(REFUSAL), REFUSAL)


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head, a trailer or the line of a chunk that goes on for more than 64 KiB: the parser has no bound."""

    _unfinished = 0  # bytes since the last head, piece of a body or end of a message

    def data_received(self, data: bytes) -> None:
        """Parse what came, and refuse when nothing has been finished for too long."""
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MOST_UNFINISHED and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The message is whole."""
        self._unfinished = 0
        super().on_message_complete()
