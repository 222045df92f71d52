"""Writes `docs/access.md`, a row for each route of the table: `python -m local.access_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.edge.access import ACCESS, OPEN, SEES

PAGE: Final = PROJECT / "docs" / "access.md"
INTRODUCTION: Final = """# Who may call what

The role comes from the token's claims (`RoleClaim`), of a merchant's user its merchant too (`MerchantClaim`), and from
nothing else ([how](identity.md)). API Gateway lets no request without a valid token through to a route of the first
table; the function refuses every role that has no mark, before it looks at anything, with `403 not-allowed`. The mark
says whose objects the role reaches. Any other is answered exactly as what is not there: `404`, with the same body,
after the same reads. An id in a query or a body that is not the caller's tells as little; a merchant's own lists stay
its own.

This page is written by `python -m local.access_page` from `shared/marketplace/edge/access.py`, which the functions
check by, and which `tests/handlers/test_access.py` walks with everybody's ids.

"""
MARKS: Final = """
`everybody's`: any. `own`: the merchant's, or the buyer himself and what he bought. `own part`: what the merchant sold,
of a cart its part. `own alone`: only what no other merchant has a part in.
"""


def text() -> str:
    """The page as it is committed."""
    seen = "".join(f"- **{role}** sees {what}.\n" for role, what in SEES.items())
    rows = [
        f"| `{method} {path}` | {' | '.join(roles.get(role, '') for role in SEES)} |\n"
        for (method, path), roles in sorted(ACCESS.items(), key=lambda row: row[0][::-1])
    ]
    head = f"\n| route | {' | '.join(SEES)} |\n|---|{'---|' * len(SEES)}\n"
    without = [f"| `{method} {path}` | {why} |\n" for (method, path), why in OPEN.items()]
    end = "\n## Guests: without a token\n\n| route | why that is safe |\n|---|---|\n"
    return INTRODUCTION + seen + MARKS + head + "".join(rows) + end + "".join(without)


if __name__ == "__main__":
    PAGE.write_text(text())
