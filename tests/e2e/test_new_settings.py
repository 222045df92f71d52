"""A deploy that changes a parameter only: who buys is served by what was deployed last, from a snapshot or not."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.cloud import Ports, Stack, sam
from local.cloud.running import deploy
from local.cloud.stripe_account import simulator
from tests.e2e.shop import Shop

NAME = API = "marketplace-settings"
ALIAS = "live"

Redeploy = Callable[..., None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@pytest.fixture(scope="module")
def settled(stack: Stack, folder: Path) -> Iterator[Shop]:
    """A stack of its own in the local AWS."""
    log = folder / "sam.log"
    with simulator(port=Ports.free().stripe, folder=folder) as account:
        shop = Shop(deploy(sam.build(log), stack.aws_endpoint, account, log, stack_name=NAME, api_id=API))
        with shop.http:
            yield shop


@pytest.fixture
def redeploy(settled: Shop, folder: Path) -> Redeploy:
    """`sam deploy` with other parameters; what is not named stays as it was."""
    log = folder / "sam.log"

    def act(**parameters: str) -> None:
        sam.deploy(
            sam.build(log), endpoint=settled.stack.aws_endpoint, api_id=API, parameters=parameters, log=log,
            stack_name=NAME,
        )  # fmt: skip

    return act


def test_a_changed_parameter_reaches_who_buys(settled: Shop, redeploy: Redeploy) -> None:
    seller = settled.ready_merchant()
    fees, served = [], []
    for policy in (None, '{"percent": "25"}'):
        if policy is not None:
            redeploy(FeePolicy=policy)
        fees.append(settled.paid_sale(seller, 2_000)["fee"])
        served.append(version(settled, "CheckoutFunction"))
    assert fees == [200, 500]
    assert served == ["1", "2"]


def test_snapshots_are_a_parameter_and_no_version_is_left_that_nobody_calls(settled: Shop, redeploy: Redeploy) -> None:
    seller = settled.ready_merchant()
    redeploy(SnapStart="PublishedVersions")
    assert settled.paid_sale(seller, 2_000)["status"] == "paid"
    client = settled.stack.client("lambda")
    for name, function in settled.stack.functions.items():
        versions = {
            each["Version"]: each for each in client.list_versions_by_function(FunctionName=function)["Versions"]
        }
        called = {each["FunctionVersion"] for each in client.list_aliases(FunctionName=function)["Aliases"]}
        assert set(versions) == {"$LATEST", *called}, name
        assert all(versions[each]["SnapStart"]["ApplyOn"] == "PublishedVersions" for each in called), name


def version(shop: Shop, function: str) -> str:
    """The version that the API calls."""
    alias = shop.stack.client("lambda").get_alias(FunctionName=shop.stack.functions[function], Name=ALIAS)
    return str(alias["FunctionVersion"])
