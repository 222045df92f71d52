"""Play the demo; exit 1 where something is not as it must be."""

import sys

from local.cloud import CannotRun, Stack

from .marketplace_api import StoryBroken
from .one_sale import one_sale
from .scenes import SCENES
from .stage import Stage


def main() -> int:
    """The scenes, one after the other."""
    try:
        stack = Stack.running()
        stage = Stage(stack)
        with stage.http:
            one_sale(stage)
            for scene in SCENES:
                scene(stage)
    except (CannotRun, StoryBroken) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    print("\nEvery sum was as it must be.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
