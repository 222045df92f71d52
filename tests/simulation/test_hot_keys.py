"""No partition is hot at a thousand payments a second: none takes more than a write unit for each payment."""

import pytest

from bench.hot_keys import loads
from marketplace.adapters.keys import INDEXES
from marketplace.ports import DUE_SHARDS, Watched

from .market import Market

SALES = 100


def test_no_partition_takes_more_than_a_unit_for_each_payment() -> None:
    hottest = loads(SALES).hottest()
    assert set(INDEXES) - {"by_customer"} <= set(hottest)  # guests have no list
    assert {place: load for place, (_, load) in hottest.items() if load > SALES} == {}


def test_where_a_sweep_has_no_time_for_all_shards_each_is_the_first_in_some_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market, looked_at = Market(), list[int]()

    def due(shard: int, **_: object) -> list[Watched]:
        looked_at.append(shard)
        return []

    monkeypatch.setattr(market.store, "due", due)
    for _ in range(DUE_SHARDS):
        market.sweep()
        market.advance(60)
    runs = [looked_at[begin : begin + DUE_SHARDS] for begin in range(0, len(looked_at), DUE_SHARDS)]
    assert all(sorted(run) == list(range(DUE_SHARDS)) for run in runs)
    assert sorted(run[0] for run in runs) == list(range(DUE_SHARDS))
