"""Everything about accounts in one place, for requests: whether there are any here, and what they need."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from explorer.accounts.book import Account, Accounts
from explorer.accounts.challenges import Challenges, Purpose
from explorer.accounts.hooks import AccountHooks
from explorer.accounts.sessions import Sessions
from explorer.db import Database
from explorer.errors import Forbidden
from explorer.languages.phrases import Phrase
from indexer import config
from indexer.chain.params import Network


@dataclass(frozen=True, slots=True)
class Keeping:
    """The accounts of a site: what is kept of them, challenges, sessions and webhooks."""

    settings: config.Accounts
    book: Accounts
    challenges: Challenges
    sessions: Sessions
    hooks: AccountHooks

    def are_for(self, host: str) -> bool:
        """Whether visitors of a host may sign in."""
        return self.settings.enabled and self._is_ours(host.lower())

    def _is_ours(self, netloc: str) -> bool:
        name = urlsplit(f"//{netloc}").hostname or ""
        return bool({netloc, name} & self.settings.hosts) or (not self.settings.hosts and _is_plain(name))

    def site(self, host: str) -> str:
        """The host as challenges name it, port included; Forbidden where accounts are not for it.

        A name that is not ours may lead here all the same: who lets his visitors sign for it could use it here.
        """
        if not self.settings.enabled:
            raise Forbidden(Phrase("this site keeps no accounts"))
        netloc = host.lower()
        if not self._is_ours(netloc):
            raise Forbidden(Phrase(
                "this site keeps accounts under another name: its operator sets the names that may be signed for "
                "(accounts.host)",
            ))  # fmt: skip
        return netloc

    async def sign_in(self, purpose: Purpose, nonce: str, address: str, signature: str, site: str) -> str:
        """Take the answer to a challenge; the token of a new session. BadRequest or Forbidden say why not."""
        await self.challenges.answer(purpose, nonce, address, signature, site)
        await self.book.admit(address)
        return await self.sessions.begin(address, purpose, site)

    async def account(self, token: str, purpose: Purpose, site: str) -> Account | None:
        """The account that is signed in with a token, or None; NotSignedIn when the account has gone."""
        address = await self.sessions.find(token, purpose, site)
        return None if address is None else await self.book.read(address)

    async def delete(self, address: str) -> bool:
        """Remove everything that is kept of an account, at once; whether there was one."""
        return await self.book.delete(address)


def open_accounts(database: Database, network: Network, settings: config.Accounts) -> Keeping:
    """The accounts that a database keeps, with the settings of this site."""
    book = Accounts(database, network)
    return Keeping(
        settings, book, Challenges(database, network), Sessions(database),
        AccountHooks(database, network, book, settings.webhooks),
    )  # fmt: skip


def _is_plain(name: str) -> bool:
    """Whether a host is an IP address or this machine: nobody else can make it lead elsewhere."""
    if name == "localhost":
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
