"""Chapter: buckets."""

from collections.abc import Iterator
from typing import Any

from ..bias import learned_bias
from ..buckets import BucketRule, bucket_rule, own_settings
from ..figures.buckets import bucket_function, bucket_matrix
from ..figures.rows import table_row
from ..figures.style import Palette
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Note, WholeNumber, choose_head
from ..wording import duration, name_place, signed
from .chapter import Scene, Verdict
from .habits import find_head
from .position import LACKS_POSITIONS, has_positions


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Head, and a distance among the near ones and somewhat beyond."""
    reach = max(2, trace.model.config.num_buckets // 2)
    hop = 1000 * trace.model.config.frame_seconds
    explained = f"In steps of {hop:.0f} ms; below 0 for keys before the query."
    return choose_head(trace), WholeNumber("distance", "Distance to the key (frames)", explained, -reach, reach, 1)


def begin(trace: Trace) -> dict[str, Any]:
    """At a head that looks back, and the next frame."""
    return {"head": find_head(trace, "looks back").head, "distance": 1}


def exhibits(trace: Trace, palette: Palette, head: int, distance: int) -> Iterator[Exhibit | Note]:
    """Yield the bias over distance with one row's share shaded, the rule, and the rows that this clip reads."""
    if not has_positions(trace):
        yield Note(LACKS_POSITIONS)
        return
    config = trace.model.config
    rule, curves, hop = bucket_rule(own_settings(config)), learned_bias(trace), 1000 * config.frame_seconds
    row, served = _row(rule, distance)
    bias = float(curves.bias[head, distance + len(rule.distances) // 2])
    place = name_place(distance * hop) if distance else "at the query itself"
    yield Exhibit(
        "table_row",
        table_row(trace, head, served, row, palette),
        f"A key {place} is served by row {row}. Head {head} has learned {signed(bias)} there. "
        f"{_name_served(served, rule, hop)}",
        lambda: {"distances_ms": curves.distances_ms.numpy(), "bias": curves.bias.numpy()},
    )
    yield Exhibit(
        "bucket_function",
        bucket_function(trace, palette=palette),
        f"The rule for all {trace.model.config.num_buckets} rows: exact when near, ever coarser when far.",
        lambda: {"distances_ms": rule.distances.numpy() * hop, "rows": rule.buckets.numpy()},
        share=0.5,
    )
    yield Exhibit(
        "bucket_matrix",
        bucket_matrix(trace, palette=palette),
        "The row of the table that each pair of frames of this clip reads: one row serves a whole diagonal.",
        lambda: {"distances_ms": rule.distances.numpy() * hop, "rows": rule.buckets.numpy()},
        share=0.5,
    )


def judge(trace: Trace, head: int, distance: int) -> Verdict:
    """Done at the nearest distance whose row serves another distance too."""
    if not has_positions(trace):
        return Verdict(False, "This model has no relative positions. Choose *nano* as the model to try it.")
    config = trace.model.config
    rule, hop = bucket_rule(own_settings(config)), 1000 * config.frame_seconds
    row, served = _row(rule, distance)
    words = f"Row {row} serves {len(served)} distance{'s' * (len(served) > 1)}."
    nearest = next(d for d in range(1, len(rule.distances) // 2) if len(_row(rule, d)[1]) > 1)
    done = len(served) > 1 and min(map(abs, served)) == nearest
    if done:
        words += f" Nearer than {duration(nearest * hop)}, every step of {hop:.0f} ms has a row of its own."
    elif len(served) > 1:
        words += " But there are nearer distances that share a row."
    return Verdict(done, words)


def _row(rule: BucketRule, distance: int) -> tuple[int, list[int]]:
    """The row that serves a distance, and all distances it serves, as far as the rule is tabulated."""
    row = rule.buckets[distance + len(rule.distances) // 2]
    return int(row), rule.distances[rule.buckets == row].tolist()


def _name_served(served: list[int], rule: BucketRule, hop: float) -> str:
    if len(served) == 1:
        return "No other distance reads this row."
    near, far = sorted((abs(served[0]), abs(served[-1])))
    beyond = " and all beyond" if far == int(rule.distances[-1]) else f" to {duration(far * hop)}"
    return f"The same row serves all {len(served)} steps from {duration(near * hop)}{beyond}, shaded."


SCENE = Scene("buckets", choices, begin, exhibits, judge)
