"""A rebuild ends as the live tables are, shows where they are wrong, and replaces them."""

import pytest

from projections import rebuild
from projections.projection import Projection
from projections.read_models import ALL, balances
from tests.projections.conftest import ReadSide
from tests.projections.histories import Chance, issued
from tests.projections.test_applying import OTHERS

every_projection = pytest.mark.parametrize("projection", ALL, ids=lambda each: each.name)


@every_projection
async def test_rebuilt_is_the_same_as_live(read_side: ReadSide, projection: Projection) -> None:
    await read_side.writer.append_all([*Chance(11).history(200), *OTHERS])
    await read_side.apply(projection, *await read_side.log())
    rows = await read_side.rows(projection)
    assert await rebuild.rebuild(read_side.pool, projection) >= 204
    assert await rebuild.compare(read_side.pool, projection) == []
    await rebuild.switch(read_side.pool, projection)
    assert await read_side.rows(projection) == rows
    indexes = await _indexes(read_side, projection)
    assert {index.name for index in projection.table.indexes} <= indexes


async def test_a_rebuild_shows_what_is_wrong_and_the_switch_mends_it(read_side: ReadSide) -> None:
    projection = balances.PROJECTION
    await read_side.writer.append_all(Chance(12).history(100))
    await read_side.apply(projection, *await read_side.log())
    rows = await read_side.rows(projection)
    await read_side.pool.execute(
        "UPDATE projections.balances_v1 SET available_minor = 1 WHERE profile_id = 'p-1'"
    )
    await read_side.pool.execute("DELETE FROM projections.balances_v1 WHERE profile_id = 'p-2'")
    await rebuild.rebuild(read_side.pool, projection)
    wrong = await rebuild.compare(read_side.pool, projection)
    assert [(each.key, each.live is None) for each in wrong] == [
        (("p-1",), False),
        (("p-2",), True),
    ]
    await rebuild.switch(read_side.pool, projection)
    assert await read_side.rows(projection) == rows


async def test_a_stopped_rebuild_goes_on_and_the_switch_takes_the_last_events(
    read_side: ReadSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    projection = balances.PROJECTION
    monkeypatch.setattr(rebuild, "PAGE_EVENTS_MAX", 30)
    await read_side.writer.append_all(Chance(13).history(100))
    seen: list[int] = []

    def stop_early(position: int, _: int) -> None:
        seen.append(position)
        if position == 60:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild.rebuild(read_side.pool, projection, stop_early)
    await rebuild.rebuild(read_side.pool, projection, lambda position, _: seen.append(position))
    assert seen[:3] == [30, 60, 90]
    await read_side.writer.append(("account-new", issued("new", 9_000, 70)))
    head = await rebuild.switch(read_side.pool, projection)
    assert head == len(await read_side.log())
    assert ("new", 70) in [row[:2] for row in await read_side.rows(projection)]
    # The projector that comes late finds everything done.
    late = await read_side.apply(projection, *await read_side.log())
    assert late.events == 0


async def _indexes(read_side: ReadSide, projection: Projection) -> set[str]:
    rows = await read_side.pool.fetch(
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'projections' AND tablename = $1",
        projection.table.name,
    )
    return {row["indexname"] for row in rows}
