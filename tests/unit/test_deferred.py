"""A deferred dataclass is a dataclass to whoever uses it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, field, fields, is_dataclass, replace
from dataclasses import dataclass as standard

import pytest

from marketplace.domain.deferred import dataclass


@dataclass(frozen=True, kw_only=True)
class Deferred:
    name: str
    tags: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)


@standard(frozen=True, kw_only=True)
class Standard:
    name: str
    tags: tuple[str, ...] = ()
    notes: dict[str, str] = field(default_factory=dict)


def fresh() -> type[Deferred]:
    @dataclass(frozen=True, kw_only=True)
    class Another(Deferred):
        size: int = 1

    return Another


def test_it_has_the_fields_of_the_standard_one_before_anything_was_made_of_it() -> None:
    assert is_dataclass(fresh())
    assert [each.name for each in fields(fresh())] == ["name", "tags", "notes", "size"]
    assert [each.name for each in fields(Deferred)] == [each.name for each in fields(Standard)]


def test_its_instances_compare_show_and_copy_like_the_standard_ones() -> None:
    one, same = Deferred(name="a"), Deferred(name="a")
    assert one == same
    assert one != replace(one, name="b")
    assert repr(one).endswith(repr(Standard(name="a")).removeprefix("Standard"))
    assert one.notes is not same.notes
    with pytest.raises(FrozenInstanceError):
        one.name = "b"  # type: ignore[misc]  # that it is refused is the point
    with pytest.raises(TypeError):
        Deferred("a")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Deferred(name="a", color="red")  # type: ignore[call-arg]


def test_its_first_instances_may_come_from_many_threads() -> None:
    for _ in range(50):
        cls = fresh()
        with ThreadPoolExecutor(8) as pool:
            assert len({repr(made) for made in pool.map(lambda _: cls(name="a"), range(8))}) == 1  # noqa: B023


def test_it_matches_by_position() -> None:
    @dataclass(frozen=True)
    class Answer:
        object: str

    match Answer("x"):
        case Answer(found):
            assert found == "x"
