# ruff: noqa: ARG001
"""Coupons and promotion codes of a session: given by the shop, or entered by the buyer."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..context import Context
from ..errors import UnsupportedError
from ..values import Object


def given(
    context: Context, session: Object, discounts: Sequence[Mapping[str, Any]], items: Sequence[Object]
) -> dict[str, Any]:
    """The session's members of the discounts that it was made with."""
    if discounts or session["allow_promotion_codes"]:
        context.unsupported("discounts", "allow_promotion_codes")
    return {}


def of_code(context: Context, session: Object, code: str, subtotal: int) -> dict[str, Any]:
    """The session's members of a promotion code that the buyer entered."""
    raise UnsupportedError(f"the promotion code {code}")
