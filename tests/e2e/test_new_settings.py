"""A deploy that changes a parameter only: who buys is served by what was deployed last, from a snapshot or not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import Ports, Stack, sam
from local.cloud.running import deploy
from local.cloud.stripe_account import simulator
from tests.e2e.shop import Shop

NAME = API = "marketplace-settings"


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


def redeploy(shop: Shop, folder: Path, **parameters: str) -> None:
    """`sam deploy` with other parameters; what is not named stays as it was."""
    log = folder / "sam.log"
    sam.deploy(
        sam.build(log), endpoint=shop.stack.aws_endpoint, api_id=API, parameters=parameters, log=log, stack_name=NAME
    )


def test_changed_parameters_reach_who_buys_and_no_version_is_left_that_nobody_calls(
    settled: Shop, folder: Path
) -> None:
    seller = settled.ready_merchant()
    assert settled.paid_sale(seller, 2_000)["fee"] == 200
    redeploy(settled, folder, FeePolicy='{"percent": "25"}', SnapStart="PublishedVersions")
    assert settled.paid_sale(seller, 2_000)["fee"] == 500
    client = settled.stack.client("lambda")
    for name, function in settled.stack.functions.items():
        found = client.list_versions_by_function(FunctionName=function)["Versions"]
        versions = {each["Version"]: each for each in found}
        called = {each["FunctionVersion"] for each in client.list_aliases(FunctionName=function)["Aliases"]}
        assert called in ({"2"}, set()), name
        assert set(versions) == {"$LATEST", *called}, name
        assert all(versions[each]["SnapStart"]["ApplyOn"] == "PublishedVersions" for each in called), name
