"""Tax codes of products. https://docs.stripe.com/api/tax_codes"""

from typing import Final

from ..context import Context
from ..errors import InvalidParameterError, ResourceMissingError
from ..lists import list_object, read_limit
from ..pricing.tax_kinds import TAX_CODES, tax_code_object
from ..routing import Routes
from ..values import Object

routes = Routes()
_PATH: Final = "/v1/tax_codes"
_CODES: Final = tuple(sorted(TAX_CODES))


@routes.api("GET", _PATH)
def list_tax_codes(context: Context) -> Object:
    """The tax codes that this simulator knows rates for."""
    limit, params = read_limit(context.params), context.params
    begin, end = 0, len(_CODES)
    if "starting_after" in params:
        begin = _place(params["starting_after"], "starting_after") + 1
    if "ending_before" in params:
        end = _place(params["ending_before"], "ending_before")
        begin = max(begin, end - limit)
    shown = [tax_code_object(code) for code in _CODES[begin:end][:limit]]
    has_more = begin > 0 if "ending_before" in params else begin + limit < end
    return list_object(shown, _PATH, has_more=has_more)


@routes.api("GET", _PATH + "/{code}")
def retrieve(context: Context, code: str) -> Object:  # noqa: ARG001 - all handlers are called alike
    """A tax code."""
    if code not in TAX_CODES:
        raise ResourceMissingError("tax_code", code)
    return tax_code_object(code)


def _place(code: str, param: str) -> int:
    if code not in TAX_CODES:
        raise InvalidParameterError(f"No such tax code: '{code}'", code="resource_missing", param=param)
    return _CODES.index(code)
