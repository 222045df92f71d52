"""The table of who may call what, walked: a role without a mark is refused before anything is looked at."""

import re

import pytest

from marketplace.domain.principals import Role
from marketplace.edge.access import ACCESS, OPEN, SEES
from marketplace.edge.invocation import Invocation
from marketplace.edge.resolver import Api

from .backend import BUYER, NOBODY, OPERATOR, Backend, User, merchant_user

SOME_ID = 26 * "0"
USERS = {Role.OPERATOR: OPERATOR, Role.MERCHANT: merchant_user(f"merchant-{SOME_ID}"), Role.BUYER: BUYER}
NOT_TO_BE_CALLED = [(route, role) for route, roles in ACCESS.items() for role in SEES if role not in roles]


def ask(backend: Backend, user: User, method: str, path: str) -> tuple[int, str]:
    place = re.sub(r"{(\w+?)(_id)?}", lambda name: f"{name[1].replace('_', '-')}-{SOME_ID}", path)
    answer = backend.send(user, method, place, *([] if method in {"GET", "DELETE"} else [{}]))
    return answer.status, answer.problem


@pytest.mark.parametrize(
    ("route", "role"), NOT_TO_BE_CALLED, ids=lambda each: " ".join(each) if type(each) is tuple else each
)
def test_who_is_not_marked_is_refused_and_nothing_is_looked_at(
    backend: Backend, route: tuple[str, str], role: Role
) -> None:
    looked: list[str] = []
    backend.store.before = lambda call, _: looked.append(call)
    assert ask(backend, USERS[role], *route) == (403, "not-allowed")
    assert (looked, backend.stripe.asked) == ([], [])


@pytest.mark.parametrize("route", ACCESS, ids=" ".join)
def test_nobody_is_refused_everywhere(backend: Backend, route: tuple[str, str]) -> None:
    assert ask(backend, NOBODY, *route) == (401, "not-authenticated")


def test_every_route_of_the_functions_has_a_row_and_no_row_is_of_no_route(backend: Backend) -> None:
    served = {route for name, module in backend.modules.items() if name.endswith(".app") for route in module.app.served}
    assert served <= ACCESS.keys() | OPEN.keys()
    assert served >= ACCESS.keys()


def test_a_route_without_a_row_cannot_be_registered(backend: Backend) -> None:
    api = Api(backend.modules["ledger.app"].settings, Invocation())
    with pytest.raises(LookupError, match="GET /secrets"):
        api.get("/secrets/<name>")
