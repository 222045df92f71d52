"""`make demo`, scene by scene, on a local cloud of its own: the books of every scene are held against Stripe."""

from collections.abc import Callable, Iterator

import pytest

from local.cloud import Ports, running_cloud
from local.demo.one_sale import one_sale
from local.demo.scenes import SCENES
from local.demo.stage import Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Other tests leave money at Stripe that no sale accounts for; a demo starts from nothing."""
    with running_cloud(tmp_path_factory.mktemp("demo"), Ports.free()) as stack:
        stage = Stage(stack)
        with stage.http:
            yield stage


def test_the_sale_of_the_demo(stage: Stage) -> None:
    one_sale(stage)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_of_the_demo(stage: Stage, scene: Callable[[Stage], None]) -> None:
    scene(stage)
