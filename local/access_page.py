"""Writes `docs/access.md`, a row for each route of the table: `python -m local.access_page`."""

from typing import Final

from local.cloud.places import PROJECT
from marketplace.edge.access import ACCESS, OPEN, SEES

PAGE: Final = PROJECT / "docs" / "access.md"
INTRODUCTION: Final = """# Who may call what

The role comes from the token's claims (`RoleClaim`), of a merchant's user its merchant too (`MerchantClaim`), and from
nothing else. API Gateway lets no request without a valid token through to a route of the first table; the function
refuses every role that has no mark, before it looks at anything, with `403 not-allowed`. Whatever is not the caller's
is answered exactly as what is not there: `404`, with the same body.

This page is written by `python -m local.access_page` from `shared/marketplace/edge/access.py`, which the functions
check by.

"""


def text() -> str:
    """The page as it is committed."""
    seen = "".join(f"- **{role}** sees {what}.\n" for role, what in SEES.items())
    rows = [
        f"| `{method} {path}` | {' | '.join('yes' if role in roles else '' for role in SEES)} |\n"
        for (method, path), roles in sorted(ACCESS.items(), key=lambda row: row[0][::-1])
    ]
    head = f"\n| route | {' | '.join(SEES)} |\n|---|{'---|' * len(SEES)}\n"
    without = [f"| `{method} {path}` | {why} |\n" for (method, path), why in OPEN.items()]
    end = "\n## Without a token\n\n| route | why that is safe |\n|---|---|\n"
    return INTRODUCTION + seen + head + "".join(rows) + end + "".join(without)


if __name__ == "__main__":
    PAGE.write_text(text())
