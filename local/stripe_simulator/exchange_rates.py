"""What a major unit of each currency is worth in US dollars, unless the settings or the laboratory say otherwise.

Round figures of no particular day: a test that reads them can calculate with them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

EXCHANGE_RATES: Final[Mapping[str, Decimal]] = {
    currency: Decimal(worth)
    for currency, worth in {
        "usd": "1",
        "aed": "0.2723",
        "aud": "0.65",
        "bgn": "0.59",
        "bhd": "2.65",
        "brl": "0.18",
        "cad": "0.72",
        "chf": "1.25",
        "clp": "0.00105",
        "cny": "0.14",
        "cop": "0.00025",
        "czk": "0.047",
        "dkk": "0.155",
        "eur": "1.16",
        "gbp": "1.33",
        "gip": "1.33",
        "hkd": "0.128",
        "huf": "0.0029",
        "idr": "0.00006",
        "ils": "0.29",
        "inr": "0.0115",
        "isk": "0.008",
        "jod": "1.41",
        "jpy": "0.0067",
        "krw": "0.0007",
        "kwd": "3.25",
        "mxn": "0.053",
        "myr": "0.24",
        "nok": "0.098",
        "nzd": "0.58",
        "omr": "2.6",
        "php": "0.0175",
        "pln": "0.27",
        "ron": "0.23",
        "sar": "0.2667",
        "sek": "0.105",
        "sgd": "0.77",
        "thb": "0.031",
        "tnd": "0.34",
        "try": "0.024",
        "twd": "0.033",
        "ugx": "0.00028",
        "uyu": "0.025",
        "vnd": "0.000038",
        "zar": "0.057",
    }.items()
}
