"""Which daemon a command asks: the configured one, else the one of this user's ``flux.conf``."""

from __future__ import annotations

from dataclasses import replace

from indexer.config import Config
from indexer.errors import ConfigError
from indexer.source.conf import endpoints, local_endpoint


def require_daemon(config: Config) -> None:
    """ConfigError, with what to set, when neither daemon nor gateway is configured and no daemon is found."""
    if config.daemon.gateway and not config.daemon.url:
        return
    try:
        endpoints(config.daemon, config.network)
    except ConfigError as error:
        if config.daemon.url:
            raise
        raise ConfigError(
            f"{error} (FLUX_DAEMON_URL=http://127.0.0.1:16124, with FLUX_DAEMON_USER and FLUX_DAEMON_PASSWORD as "
            "in the daemon's flux.conf)"
        ) from error


def with_local_daemon(config: Config) -> Config:
    """The same settings; where they name no daemon, with the local one, if there is one."""
    local = None if config.daemon.url else local_endpoint(config.network)
    if local is None:
        return config
    cookie = "" if local.cookie is None else str(local.cookie)
    found = replace(config.daemon, url=local.url, user=local.user, password=local.password, cookie_file=cookie)
    return replace(config, daemon=found)
