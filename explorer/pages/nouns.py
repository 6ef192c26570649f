"""Numbers with what they count, in the language of the reader, whose plural forms are its own.

A number with its noun stands alone: a sentence that counts something has plural forms of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

from explorer.languages import ngettext

Noun = Literal[
    "address", "block", "byte", "confirmation", "confirmed node", "difference", "entry",
    "input", "match", "more transaction", "node", "other", "other chain", "output", "parallel chain", "payout", "place",
    "reorganisation", "second", "start", "time", "transaction", "transfer", "wallet",
]  # fmt: skip
Unit = Literal["year", "month", "day", "hour", "minute", "second"]

NOUNS: Final[Mapping[Noun, Callable[[int], str]]] = {
    "address": lambda n: ngettext("%(num)s address", "%(num)s addresses", n),
    "block": lambda n: ngettext("%(num)s block", "%(num)s blocks", n),
    "byte": lambda n: ngettext("%(num)s byte", "%(num)s bytes", n),
    "confirmation": lambda n: ngettext("%(num)s confirmation", "%(num)s confirmations", n),
    "confirmed node": lambda n: ngettext("%(num)s confirmed node", "%(num)s confirmed nodes", n),
    "difference": lambda n: ngettext("%(num)s difference", "%(num)s differences", n),
    "entry": lambda n: ngettext("%(num)s entry", "%(num)s entries", n),
    "input": lambda n: ngettext("%(num)s input", "%(num)s inputs", n),
    "match": lambda n: ngettext("%(num)s match", "%(num)s matches", n),
    "more transaction": lambda n: ngettext("%(num)s more transaction", "%(num)s more transactions", n),
    "node": lambda n: ngettext("%(num)s node", "%(num)s nodes", n),
    "other": lambda n: ngettext("%(num)s other", "%(num)s others", n),
    "other chain": lambda n: ngettext("%(num)s other chain", "%(num)s other chains", n),
    "output": lambda n: ngettext("%(num)s output", "%(num)s outputs", n),
    "parallel chain": lambda n: ngettext("%(num)s parallel chain", "%(num)s parallel chains", n),
    "payout": lambda n: ngettext("%(num)s payout", "%(num)s payouts", n),
    "place": lambda n: ngettext("%(num)s place", "%(num)s places", n),
    "reorganisation": lambda n: ngettext("%(num)s reorganisation", "%(num)s reorganisations", n),
    "second": lambda n: ngettext("%(num)s second", "%(num)s seconds", n),
    "start": lambda n: ngettext("%(num)s start", "%(num)s starts", n),
    "time": lambda n: ngettext("%(num)s time", "%(num)s times", n),
    "transaction": lambda n: ngettext("%(num)s transaction", "%(num)s transactions", n),
    "transfer": lambda n: ngettext("%(num)s transfer", "%(num)s transfers", n),
    "wallet": lambda n: ngettext("%(num)s wallet", "%(num)s wallets", n),
}
LENGTHS: Final[Mapping[Unit, Callable[..., str]]] = {
    "year": lambda n, **told: ngettext("%(num)s year", "%(num)s years", n, **told),
    "month": lambda n, **told: ngettext("%(num)s month", "%(num)s months", n, **told),
    "day": lambda n, **told: ngettext("%(num)s day", "%(num)s days", n, **told),
    "hour": lambda n, **told: ngettext("%(num)s hour", "%(num)s hours", n, **told),
    "minute": lambda n, **told: ngettext("%(num)s minute", "%(num)s minutes", n, **told),
    "second": lambda n, **told: ngettext("%(num)s second", "%(num)s seconds", n, **told),
}
"""A length of time; ``num`` is given where it has decimals."""
AGO: Final[Mapping[Unit, Callable[[int], str]]] = {
    "year": lambda n: ngettext("%(num)s year ago", "%(num)s years ago", n),
    "month": lambda n: ngettext("%(num)s month ago", "%(num)s months ago", n),
    "day": lambda n: ngettext("%(num)s day ago", "%(num)s days ago", n),
    "hour": lambda n: ngettext("%(num)s hour ago", "%(num)s hours ago", n),
    "minute": lambda n: ngettext("%(num)s minute ago", "%(num)s minutes ago", n),
    "second": lambda n: ngettext("%(num)s second ago", "%(num)s seconds ago", n),
}
AHEAD: Final[Mapping[Unit, Callable[[int], str]]] = {
    "year": lambda n: ngettext("%(num)s year ahead", "%(num)s years ahead", n),
    "month": lambda n: ngettext("%(num)s month ahead", "%(num)s months ahead", n),
    "day": lambda n: ngettext("%(num)s day ahead", "%(num)s days ahead", n),
    "hour": lambda n: ngettext("%(num)s hour ahead", "%(num)s hours ahead", n),
    "minute": lambda n: ngettext("%(num)s minute ahead", "%(num)s minutes ahead", n),
    "second": lambda n: ngettext("%(num)s second ahead", "%(num)s seconds ahead", n),
}
WAITS: Final[Mapping[Unit, Callable[..., str]]] = {
    "day": lambda n, **told: ngettext("%(time)s day", "%(time)s days", n, **told),
    "hour": lambda n, **told: ngettext("%(time)s hour", "%(time)s hours", n, **told),
    "minute": lambda n, **told: ngettext("%(time)s minute", "%(time)s minutes", n, **told),
    "second": lambda n, **told: ngettext("%(time)s second", "%(time)s seconds", n, **told),
}
SPANS: Final[Mapping[Unit, Callable[..., str]]] = {
    "day": lambda n, **told: ngettext("%(low)s to %(high)s day", "%(low)s to %(high)s days", n, **told),
    "hour": lambda n, **told: ngettext("%(low)s to %(high)s hour", "%(low)s to %(high)s hours", n, **told),
    "minute": lambda n, **told: ngettext("%(low)s to %(high)s minute", "%(low)s to %(high)s minutes", n, **told),
    "second": lambda n, **told: ngettext("%(low)s to %(high)s second", "%(low)s to %(high)s seconds", n, **told),
}
"""How long something is likely to take: both tables stand behind ``in`` or ``after`` only."""
