"""Result objects -> pages: one module a subject; every page works without JavaScript.

``routes`` and ``error_page`` are what the application mounts.
"""

from __future__ import annotations

from typing import Final

from starlette.routing import BaseRoute, Route

from explorer.pages import (
    addresses,
    aliases,
    api,
    assets,
    badges,
    blocks,
    broadcast,
    charts,
    embeds,
    holdings,
    home,
    mempool,
    methodology,
    nodes,
    operator,
    parallel,
    payouts,
    planning,
    producers,
    reorgs,
    search,
    status,
    supply,
    switches,
    transactions,
    verify,
)
from explorer.pages.errors import error_page
from explorer.pages.headers import SecurityHeaders

__all__ = ["SecurityHeaders", "error_page", "routes"]

routes: Final[list[BaseRoute]] = [
    Route("/", home.home),
    Route("/blocks", blocks.index),
    Route("/blocks-date/{day}", blocks.of_day),
    Route("/block/{reference}", blocks.show),
    *aliases.routes(),
    Route("/tx/{txid}", transactions.show),
    Route("/spending/{txid}/{n}", transactions.spending),
    Route("/address/{address}", addresses.show),
    Route("/address/{address}/qr.svg", addresses.qr_code),
    Route("/nodes", nodes.index),
    Route("/nodes/{tier}", nodes.of_tier),
    Route("/node/{outpoint}", nodes.show),
    Route("/node/ip/{ip:path}", nodes.of_ip),
    Route("/payouts", payouts.index),
    Route("/producers", producers.index),
    Route("/operator", operator.show),
    Route("/operator.csv", operator.as_csv),
    Route("/operator.ics", operator.as_calendar),
    Route("/calculator", planning.calculator),
    Route("/network", planning.network),
    Route("/verify", verify.show),
    Route("/api", api.show),
    Route("/methodology", methodology.show),
    Route("/supply", supply.show),
    Route("/supply/unclaimed", supply.under_claimed),
    Route("/parallel", parallel.show),
    Route("/supply/fusion", holdings.fusion),
    Route("/richlist", holdings.richlist),
    Route("/reorgs", reorgs.index),
    Route("/badge/{name}.svg", badges.show),
    Route("/embeds", embeds.gallery),
    Route("/embed/{kind}", embeds.show),
    Route("/embed/{kind}/{reference}", embeds.show),
    Route("/preview/{kind}.png", embeds.preview),
    Route("/preview/{kind}/{reference}.png", embeds.preview),
    Route("/oembed", embeds.oembed),
    Route("/charts", charts.gallery),
    Route("/charts/{name}.svg", charts.image),
    Route("/charts/{name}.png", charts.picture),
    Route("/charts/{name}.csv", charts.numbers),
    Route("/charts/{name}", charts.show),
    Route("/mempool", mempool.show),
    Route("/search", search.show),
    Route("/q/{text:path}", search.shortcut),
    Route("/status", status.show),
    Route("/broadcast", broadcast.show),
    Route("/broadcast", broadcast.send, methods=["POST"]),
    Route("/theme", switches.choose_theme, methods=["POST"]),
    Route("/language", switches.choose_language, methods=["POST"]),
    Route("/static/{name}", assets.static),
    Route("/favicon.ico", assets.favicon),
    Route("/robots.txt", assets.robots),
]
