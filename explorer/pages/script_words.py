"""The words that the scripts of the site write, handed to them in the page: a script has none of its own."""

from __future__ import annotations

from explorer.languages import _
from explorer.pages.nouns import AGO, AHEAD

Words = dict[str, str | dict[str, list[str]]]


def site_words() -> Words:
    """What ``site.js`` says; of each age the form for one and for two, in which it puts its own number."""
    return {
        "now": _("just now"),
        "ago": {unit: [tell(1), tell(2)] for unit, tell in AGO.items()},
        "ahead": {unit: [tell(1), tell(2)] for unit, tell in AHEAD.items()},
        "copied": _("Copied"),
        "suggestions": _("Suggestions"),
    }


def live_words() -> Words:
    """What ``live.js`` says; ``block`` has a place for a height."""
    return {
        "live": _("Live"),
        "paused": _("Paused"),
        "waiting": _("New, waiting for you"),
        "resume": _("Resume live updates"),
        "pause": _("Pause live updates"),
        "block": _("Block %(height)s"),
    }
