"""Relative positions: how WavLM knows how far two frames are apart, and what each head made of it."""

from collections.abc import Iterator

import numpy as np

from ..bias import FAR_MS, FLAT, ZONES, Preferences, coarse_bias, learned_bias, preferences
from ..buckets import KNOWN_SETTINGS, BucketSettings, bucket_rule, clip_reading, own_settings
from ..figures.bias import bias_curves, head_peaks, head_shares
from ..figures.bucket_strips import bucket_strips
from ..figures.buckets import bucket_function, bucket_matrix
from ..figures.distances import NEAR_MS
from ..figures.style import Palette
from ..modules.positions import relative_position_buckets
from ..tracing import Trace
from ..wording import duration, name_place, signed
from .view import Choice, Exhibit, Lesson, Note, Option, Setting, View, choose_head

TEXT, SPEECH = "T5, encoder", "WavLM, as released"  # of KNOWN_SETTINGS
BOTH_SIDES, PAST_ONLY = "both", "past only"
EVEN = 0.05  # shares that differ less are called alike

LESSON = Lesson(
    what=(
        "Attention alone cannot tell near from far. So WavLM keeps a **table** with one number for each head and each "
        "*bucket* of distances, and adds it to how much frame i looks at frame j. Near distances have a bucket each; "
        "far ones share, and the further the more. One table serves all layers; in each of them a gate decides, "
        "frame by frame, how much it counts (the page *Gate* shows it)."
    ),
    equation=(
        r"b(d) = \begin{cases} |d| & |d| < m \\[4pt] \min\!\Big(n-1,\; m + \Big\lfloor (n-m)\,"
        r"\frac{\ln(|d|/m)}{\ln(D/m)} \Big\rfloor\Big) & |d| \ge m \end{cases}\;\; + \;\;n\,[d > 0]"
    ),
    symbols=(
        (r"d = j - i", "from the frame that looks to the frame looked at, in steps of 20 ms"),
        (r"b(d)", "the row of the table"),
        (r"n", "rows for each side, half of all: the past first, then the future"),
        (r"m", "half of n: nearer than this every step has a row of its own"),
        (r"D", "the max distance: from about here on all share the last row"),
    ),
    try_this=(
        "With *nano* and the sample sentence, set 8 buckets and a max distance of 64 frames (the arrow keys move a "
        "slider by one). The clip read 63 rows of the table, now it reads 7, and all that is 240 ms away or more is "
        "one to it. Then choose head 4, which prefers 100 ms back, and head 5, which prefers 60 ms ahead: whose peak "
        "is lost?"
    ),
)


def choices(trace: Trace) -> tuple[Choice, ...]:
    """Head, and what the rule is made of: at first as the model has it."""
    own, hop = own_settings(trace.model.config), 1000 * trace.model.config.frame_seconds
    known = (own, *KNOWN_SETTINGS.values())
    return (
        choose_head(trace),
        Setting(
            "bucket_rows", "Buckets (table rows)",
            f"How many buckets there are, num_buckets. The model has {own.num_buckets}.",
            1, max(each.num_buckets for each in known), own.num_buckets,
        ),
        Setting(
            "bucket_reach", "Max distance (frames)",
            f"max_distance; a frame is {hop:.0f} ms. The model has {own.max_distance}.",
            1, max(each.max_distance for each in known), own.max_distance,
        ),
        Option(
            "bucket_sides", "Sides",
            "Both: half of the rows for the past, half for the future, as in WavLM (bidirectional). Past only: all "
            "rows for the past, as in a decoder that never sees the future.",
            (BOTH_SIDES, PAST_ONLY), BOTH_SIDES,
        ),
    )  # fmt: skip


def exhibits(
    trace: Trace, palette: Palette, head: int, bucket_rows: int, bucket_reach: int, bucket_sides: str
) -> Iterator[Exhibit | Note]:
    """Yield the rule, this clip's rows, known settings beside those chosen, and what the heads learned and prefer."""
    settings = BucketSettings(bucket_rows, bucket_reach, bucket_sides == BOTH_SIDES)
    has_bias = trace.model.config.relative_position_embedding
    if not has_bias:
        yield Note(
            "This checkpoint has **no relative positions**: its heads see content only, and nothing is added for "
            "distance. Below is the rule that its settings would describe."
        )
    if settings.makes_buckets:
        yield _rule(trace, palette, settings)
        yield _clip(trace, palette, settings)
    else:
        yield Note(_why_no_buckets(settings))
    yield _known(trace, palette, settings)
    if not has_bias:
        return
    if not trace.model.config.gru_rel_pos:
        yield Note("This checkpoint has **no gate**: every frame takes the bias just as the table holds it.")
    yield _bias(trace, palette, head, settings if settings.makes_buckets else own_settings(trace.model.config))
    yield from _preferences(trace, palette, head)


def _why_no_buckets(settings: BucketSettings) -> str:
    if settings.num_exact < 1:
        least = 4 if settings.bidirectional else 2
        return f"{settings.num_buckets} rows describe **no buckets**: the rule needs {least} at least."
    return (
        f"These settings describe **no buckets**: with {settings.num_buckets} rows the first {settings.num_exact} of a "
        f"side are for exact distances, so the max distance must be more than {settings.num_exact} frames; it is "
        f"{settings.max_distance}."
    )


def _rule(trace: Trace, palette: Palette, settings: BucketSettings) -> Exhibit:
    rule, hop = bucket_rule(settings), 1000 * trace.model.config.frame_seconds
    unused = f" Row {rule.unused[0]} is never used: it would be distance 0 in the future." if rule.unused else ""
    if len(rule.unused) > 1:
        unused = f" {len(rule.unused)} rows are never used."
    shared = (
        "half for keys before the query and half for keys after it"
        if settings.bidirectional
        else "all for keys before the query; what comes after it shares row 0 with the query itself"
    )
    return Exhibit(
        "bucket_function",
        bucket_function(trace, settings, palette),
        f"{settings.num_buckets} rows, {shared}. Up to {duration((settings.num_exact - 1) * hop)} each step of "
        f"{hop:.0f} ms has its own row; from {duration(rule.last_from * hop)} on there is one row for all.{unused} "
        f"(The axis is linear to {NEAR_MS:.0f} ms and logarithmic beyond.)",
        lambda: {"distances_ms": rule.distances.numpy() * hop, "rows": rule.buckets.numpy()},
        share=0.5,
    )


def _clip(trace: Trace, palette: Palette, settings: BucketSettings) -> Exhibit:
    return Exhibit(
        "bucket_matrix",
        bucket_matrix(trace, settings, palette),
        describe_clip(trace, settings),
        lambda: {
            "rows": relative_position_buckets(trace.num_frames, *settings).numpy(),
            "frame_times": trace.frame_times.numpy(),
        },
        share=0.5,
    )


def describe_clip(trace: Trace, settings: BucketSettings) -> str:
    """Say in words how many rows the clip reads, and which of its distances are not told apart."""
    config, own = trace.model.config, own_settings(trace.model.config)
    reading, hop = clip_reading(trace.num_frames, settings), 1000 * config.frame_seconds
    is_all = reading.num_rows == reading.num_usable
    words = [
        f"This clip is {duration(trace.num_frames * hop)} long and reads {reading.num_rows} of the table's "
        f"{settings.num_buckets} rows,",
        "all that any distance leads to." if is_all else "the others are for longer clips.",
    ]
    if config.relative_position_embedding and settings != own:
        words.append(f"(Of the model's own it reads {clip_reading(trace.num_frames, own).num_rows}.)")
    words.append("One row serves a whole diagonal.")
    last = duration(bucket_rule(settings).last_from * hop)
    if reading.last_row_share > 0:
        share = _percent(reading.last_row_share).capitalize()
        words.append(
            f"{share} of its pairs of frames are {last} apart or more: their distance is not told apart any more."
        )
    elif trace.num_frames > settings.num_exact:
        words.append("None of its distances is so large that it shares the last row.")
    return " ".join(words)


def _known(trace: Trace, palette: Palette, settings: BucketSettings) -> Exhibit:
    """T5's settings and WavLM's, and below them this model's and those chosen, unless they are one of these."""
    compared = dict(KNOWN_SETTINGS)
    for name, each in (("this model", own_settings(trace.model.config)), ("chosen", settings)):
        if each not in compared.values() and each.makes_buckets:
            compared[name] = each
    chosen = next((name for name, each in compared.items() if each == settings), "")
    last_from = {name: bucket_rule(each).last_from for name, each in compared.items()}
    hop = 1000 * trace.model.config.frame_seconds
    return Exhibit(
        "bucket_settings",
        bucket_strips(compared, trace.model.config.frame_seconds, chosen, palette),
        "Strong cells serve one distance each, paler ones ever more of them, and the palest all the rest. "
        f"The rule is that of T5, a model of text. Its encoder tells {KNOWN_SETTINGS[TEXT].num_exact - 1} tokens on "
        f"each side apart exactly, and none from {last_from[TEXT]} on; its decoder never looks ahead and gives all "
        f"rows to the past. Sound needs more: a second has {1000 / hop:.0f} frames. The released WavLM tells "
        f"{KNOWN_SETTINGS[SPEECH].num_exact - 1} on each side apart, and none from {last_from[SPEECH]} on "
        f"({duration(last_from[SPEECH] * hop)}).",
        lambda: {
            "settings": np.array([*compared]),
            "num_buckets": np.array([each.num_buckets for each in compared.values()]),
            "max_distance": np.array([each.max_distance for each in compared.values()]),
            "bidirectional": np.array([each.bidirectional for each in compared.values()]),
            "exact_below": np.array([each.num_exact for each in compared.values()]),
            "one_row_from": np.array([*last_from.values()]),
        },
    )


def _bias(trace: Trace, palette: Palette, head: int, settings: BucketSettings) -> Exhibit:
    curves, coarse = learned_bias(trace), coarse_bias(trace, settings)
    arrays = {"distances_ms": curves.distances_ms.numpy(), "bias": curves.bias.numpy()}
    words = "The same curve serves every layer. The table was learned with the model's own settings"
    if settings == own_settings(trace.model.config):
        words += "."
    else:
        lost = float((curves.bias[head] - coarse.bias[head]).abs().max())
        words += (
            f"; one with those chosen can come no nearer than the second line, which misses it by up to {lost:.2f}."
        )
        arrays |= {"coarse_bias": coarse.bias.numpy()}
    return Exhibit(
        "bias_curves",
        bias_curves(trace, head, settings, palette),
        f"{describe_peak(preferences(trace), head)} {words}",
        lambda: arrays,
    )


def describe_peak(found: Preferences, head: int) -> str:
    """Say in words where a head's bias peaks among the distances of this clip, how wide, and what that is worth."""
    peak_ms, peak, typical = (float(part[head]) for part in (found.peak_ms, found.peak, found.typical))
    if peak - typical < FLAT:
        return f"Head {head} gives every distance in this clip the same bias."
    factor = float(np.exp(min(peak - typical, 20)))
    worth = f"{factor:.3g} times" if factor < 1000 else "more than 1,000 times"
    first, last = (float(edge) for edge in found.half_ms[head])
    width = (
        "The distances beside it get less than half as much."
        if first == last
        else f"From {name_place(first)} to {name_place(last)} it is at least half as much."
    )
    where = name_place(peak_ms) if peak_ms else f"at {name_place(0)}"
    return (
        f"Head {head} peaks {where} at {_signed(peak)}. With equal content and a gate of 1, that alone gives the key "
        f"there {worth} the weight of one at a typical distance ({_signed(typical)}). {width}"
    )


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "less than 1%"


def _signed(number: float) -> str:
    return signed(number) if abs(number) >= 0.005 else "0"


def _preferences(trace: Trace, palette: Palette, head: int) -> Iterator[Exhibit]:
    found = preferences(trace)
    before, after = int((found.peak_ms < 0).sum()), int((found.peak_ms > 0).sum())
    yield Exhibit(
        "head_peaks",
        head_peaks(trace, head, palette),
        f"{before} of {trace.num_heads} heads peak before the query and {after} after it. The number is the bias of "
        "the peak, and the bar reaches as far as it gives at least half that weight.",
        lambda: {name: getattr(found, name).numpy() for name in ("peak_ms", "peak", "typical", "half_ms")},
        share=0.5,
    )
    yield Exhibit(
        "head_shares",
        head_shares(trace, head, palette),
        describe_shares(found, head),
        lambda: {"shares": found.shares.numpy(), "even_shares": found.even_shares.numpy(), "zones": np.array(ZONES)},
        share=0.5,
    )


def describe_shares(found: Preferences, head: int) -> str:
    """Say in words to which side a head leans, and what it makes of what is far away."""
    far_back, back, itself, ahead, far_ahead = found.shares[head].tolist()
    past, future = far_back + back, ahead + far_ahead
    leans = "to neither side" if abs(past - future) < EVEN else "to the past" if past > future else "to the future"
    words = (
        f"If only position counted and the gate were 1, head {head} would lean {leans}: in the middle of the clip "
        f"{past:.0%} of its attention would go back, {future:.0%} ahead and {_percent(itself)} to the frame itself."
    )
    even = float(found.even_shares[0] + found.even_shares[-1])
    if even:
        far = far_back + far_ahead
        words += f" {far:.0%} would go farther than {duration(FAR_MS)}, where {even:.0%} of the frames are: it " + (
            "makes little difference of them."
            if abs(far - even) < EVEN
            else f"looks {'away from' if far < even else 'to'} them."
        )
    return words


VIEW = View("buckets", "Relative positions", "straighten", LESSON, exhibits, choices, order=20)
