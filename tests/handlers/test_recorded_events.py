"""The events that `sam local invoke` is given (docs/sam-local.md): each route's is one that its function answers."""

import json
import re
from types import ModuleType
from typing import Any

import pytest

from local.cloud.places import PROJECT
from local.sam_local.check import EVENTS, is_well

from .backend import FUNCTIONS, OPERATOR, Backend, Context

DEPLOYED = re.compile(
    r"^  (\w+Function):\n.*?CodeUri: functions/(\w+)/\n\s+Handler: (\w+)\.handler", re.MULTILINE | re.DOTALL
)
ROUTES = {
    name: f"{folder}.{module}"
    for name, folder, module in DEPLOYED.findall((PROJECT / "template.yaml").read_text())
    if f"{folder}.{module}" in FUNCTIONS and "routeKey" in json.loads((EVENTS / f"{name}.json").read_text())
}


@pytest.mark.parametrize("name", ROUTES)
def test_the_recorded_event_of_a_route_is_answered_well(backend: Backend, name: str) -> None:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(OPERATOR.claims), "scopes": None}}
    module: ModuleType = backend.modules[ROUTES[name]]
    answer = module.handler(event, Context())
    assert is_well(answer), answer
