"""S09: of the keys whose functions are played here every right is used.

That none is missing the whole folder shows: the simulator refuses what a group's key may not do. Runs last, and only
when all of the folder does.
"""

import pytest

from cli.stripe_keys import Group, rights_of

from .group_keys import PLAYED_WHOLE, USED, given


@pytest.mark.parametrize("group", sorted(PLAYED_WHOLE))
def test_s09_every_right_of_the_key_is_used(group: Group) -> None:
    assert given(rights_of(group)) - USED[group] == set()
