"""Where a daemon's JSON-RPC is and how to log in, with the credentials kept out of every text."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from indexer.errors import ConfigError, Unreachable


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One daemon: ``url`` without credentials; login by user and password, or else by cookie file."""

    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    cookie: Path | None = None

    @property
    def has_login(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self.user or self.password or self.cookie)

    def authorization(self) -> str:
        """The ``Authorization`` header, empty without a login; reads the cookie file anew.

        The daemon writes a new cookie at each start (``httprpc.cpp:InitRPCAuthentication``). A missing file
        means that it is not running: Unreachable.
        """
        login = f"{self.user}:{self.password}" if self.user or self.password else self._read_cookie()
        return f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""

    def _read_cookie(self) -> str:
        if self.cookie is None:
            return ""
        try:
            return self.cookie.read_text().strip()
        except FileNotFoundError:
            raise Unreachable(
                f"no cookie file {self.cookie}: is the daemon at {self.url} running with this data folder?"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the cookie file {self.cookie} cannot be read: {type(error).__name__}") from error


def parse_endpoints(urls: str, user: str = "", password: str = "", cookie: Path | None = None) -> list[Endpoint]:
    """The endpoints of a comma-separated list of URLs; user-info in a URL overrides ``user`` and ``password``."""
    return [_parse(url.strip(), user, password, cookie) for url in urls.split(",") if url.strip()]


def _parse(url: str, user: str, password: str, cookie: Path | None) -> Endpoint:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        raise ConfigError("daemon.url has an entry that is no URL: write http://host:port") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError("daemon.url has an entry that is no http URL: write http://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    clean = urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path or "/", "", ""))
    if parts.username is None:
        return Endpoint(clean, user, password, cookie)
    return Endpoint(clean, unquote(parts.username), unquote(parts.password or ""))
