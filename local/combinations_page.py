"""Writes `docs/combinations.md`, the table of what goes together: `python -m local.combinations_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.domain.combinations import POSSIBLE, REFUSED

PAGE: Final = PROJECT / "docs" / "combinations.md"
INTRODUCTION: Final = """# Charge types, tax and discounts that go together

What is not here is refused with `422 combination-refused` before Stripe is asked. Without a charge type in the request
a sale is a destination charge where it has one merchant and everything is known beforehand, else a separate charge. Who
funds a discount goes with every row: it is the coupon's `platform_basis_points`, from 0 (the merchant all of it) to
10,000 (the platform).

Tax is Stripe Tax; `platform` or `merchant` is who is liable for it, and remits it. With the merchant liable its own
settings and registrations at Stripe count. `given` is a coupon or promotion code that the request names, `entered` one
that the buyer may type on Stripe's page. Why it is settled so: [portions](adr/0018-portions.md), [tax that is the
merchant's](adr/0025-tax-that-is-the-merchants.md).

A sale of one merchant can be on its behalf (`on_behalf_of`) with every row: its name is on the buyer's statement, and
it is settled in its country. Its card payments must be active.

This page is written by `python -m local.combinations_page` from `shared/marketplace/domain/combinations.py`, by which
requests are judged.

| buyer pays | charge type | tax | discount | how the merchants get what is theirs |
|---|---|---|---|---|
"""


def text() -> str:
    """The page as it is committed."""
    rows = [f"| `{row.way}` | `{row.charge_type}` | {row.tax} | {row.discount} | {row.settled} |\n" for row in POSSIBLE]
    refused = [f"| {what} | {why} |\n" for what, why in REFUSED]
    return INTRODUCTION + "".join(rows) + "\n| refused | why |\n|---|---|\n" + "".join(refused)


if __name__ == "__main__":
    PAGE.write_text(text())
