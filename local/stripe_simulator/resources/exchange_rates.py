"""What the laboratory makes of exchange rates: what one of each currency is worth in US dollars.

GET  /_simulator/exchange_rates
POST /_simulator/exchange_rates    {"eur": "1.25", "jpy": "0.007"}
"""

from ..context import Context
from ..funds import exchange
from ..funds.exchange import RATES
from ..routing import Routes
from ..values import Object

routes = Routes(RATES)


@routes.page("GET", "/_simulator/exchange_rates")
def read(context: Context) -> Object:
    """The rates of now."""
    return {currency: str(rate) for currency, rate in sorted(exchange.rates(context).items())}


@routes.page("POST", "/_simulator/exchange_rates")
def move(context: Context) -> Object:
    """Move some; what was booked stays as it is, and what follows from it is booked at the new ones."""
    exchange.set_rates(context, context.params)
    return read(context)
