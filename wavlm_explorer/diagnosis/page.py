"""The report as a page: what it is, what was found, the pictures, and all that was checked."""

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..bias import BiasCurves
from ..buckets import bucket_rule, own_settings
from ..document import Document, Plate
from ..figures.checkpoint import bias_table, tensor_sizes, weight_histograms
from ..figures.layers import LayerProfile, compare_choices, layer_profile
from .clip import profile
from .report import Finding, Report
from .statistics import sample
from .subject import LAYER, MATRICES, Subject

VERDICTS = {
    0: "Nothing is wrong with it, as far as it was checked.",
    1: "It has oddities that deserve a look.",
    2: "It is damaged, or not what its config says.",
}
SAMPLE = 20_000  # numbers of each tensor in a histogram


def document(report: Report, plates: Sequence[Plate] | None = None) -> Document:
    """Lay a report out as a page; `plates` are its `pictures`, if they are at hand already."""
    page = Document(f"Checkpoint: {report.name}", f"{report.summary} {VERDICTS[report.exit_code]}")
    page.add_heading("What was found")
    page.add_findings(report.findings)
    page.add_heading("What it is")
    page.add_facts(report.facts)
    plates = pictures(report) if plates is None else plates
    if plates:
        page.add_heading("Pictures")
    for plate in plates:
        page.add_picture(plate.draw, plate.caption)
    page.add_heading("What was checked")
    rows = [(item.outcome, item.check, item.looks_at, item.reason) for item in report.checks]
    page.add_table(("outcome", "check", "what is looked at", "why not"), rows, fold=f"All {len(rows)} checks")
    return page


def pictures(report: Report) -> list[Plate]:
    """Return what can be drawn of a checkpoint, however damaged it is; nothing of it keeps the weights in memory."""
    return [] if report.subject is None else list(_pictures(report.subject, report.findings))


def _pictures(subject: Subject, findings: Sequence[Finding]) -> Iterator[Plate]:
    if subject.roles:
        sizes = _sizes(subject)
        yield Plate(
            "tensor_sizes",
            lambda palette: tensor_sizes(sizes, palette),
            "Root mean square of every tensor of the layers, as a multiple of the median of its row. Training leaves "
            "smooth trends; a single cell of another colour is a tensor that was scaled, reset or exchanged.",
            lambda: {role: np.array(numbers) for role, numbers in sizes.items()},
        )
        weights, flagged = _weights(subject), _flagged(findings)
        yield Plate(
            "weight_histograms",
            lambda palette: weight_histograms(weights, flagged, palette),
            "How the weights of each role are spread, a line a layer, in standard deviations. A line that leaves the "
            "others belongs to a layer that was rounded, pruned or drawn anew; layers that a finding names stand out.",
            lambda: {f"{role}_{layer}": part for role, layers in weights.items() for layer, part in layers.items()},
        )
    curves = _curves(subject)
    if curves is not None:
        yield Plate(
            "bias_table",
            lambda palette: bias_table(curves, palette),
            "The one table of position biases that serves all layers. Trained rows here are smooth curves; stripes, "
            "seams and noise are rows out of order.",
            lambda: {name: part.numpy() for name, part in curves._asdict().items()},
        )
    if subject.trace is not None:
        yield from _clip_pictures(subject)


def _clip_pictures(subject: Subject) -> Iterator[Plate]:
    clip, config = subject.clip, subject.config
    assert clip is not None
    ours = LayerProfile(*clip.profile)
    yield Plate(
        "layer_profile",
        lambda palette: layer_profile(ours, palette),
        f"The clip “{clip.audio.name}” on its way through the layers. Layers that do nothing have a cosine of 1; "
        "where the variety falls to 0 the sound is lost.",
        lambda: _numbers({"config": ours}),
    )
    words = {True: "normalised waveform", False: "waveform as it is"}
    other = LayerProfile(*profile(clip.other_normalization.hidden_states))
    inputs = {f"{words[config.normalize]} (config)": ours, words[not config.normalize]: other}
    yield Plate(
        "input_normalization",
        lambda palette: compare_choices(inputs, palette),
        "Input normalisation both ways, on the same clip: the output differs by "
        f"{clip.difference_of_normalization():.2%}, relative. A group norm in the front end makes a model blind to "
        "gain and offset; layer norms in the convolutions do not.",
        lambda: _numbers(inputs),
    )
    words = {True: "norms before (pre-norm)", False: "norms after (post-norm)"}
    other = LayerProfile(*profile(clip.other_order.hidden_states))
    orders = {f"{words[config.layer_norm_first]} (config)": ours, words[not config.layer_norm_first]: other}
    yield Plate(
        "norm_order",
        lambda palette: compare_choices(orders, palette),
        "The same weights with the layer norms in either place. Shapes do not tell which is right; in the wrong order "
        "sizes drift and frames lose their differences.",
        lambda: _numbers(orders),
    )


def _numbers(profiles: Mapping[str, LayerProfile]) -> dict[str, np.ndarray]:
    return {
        f"{name}: {part}": values.numpy() for name, one in profiles.items() for part, values in one._asdict().items()
    }


def _sizes(subject: Subject) -> dict[str, list[float]]:
    layers = range(min(subject.num_layers, 200))
    roles = dict.fromkeys(
        found[2] for name in subject.checkpoint.tensors if (found := LAYER.fullmatch(name)) and "relative_" not in name
    )
    sizes = {}
    for role in roles:
        names = [f"encoder.layers.{layer}.{role}" for layer in layers]
        numbers = [subject.statistics.get(name) for name in names]
        sizes[role] = [item.root_mean_square if item and item.is_finite else np.nan for item in numbers]
    return sizes


def _weights(subject: Subject) -> dict[str, dict[int, np.ndarray]]:
    return {
        short(role): {layer: sample(tensor).numpy()[: 4 * SAMPLE : 4] for layer, tensor in subject.roles[role].items()}
        for role in MATRICES
        if role in subject.roles
    }


def short(role: str) -> str:
    """Write a role for a title: "self_attn.q_proj.weight" as "q_proj"."""
    return re.sub(r"self_attn\.|\.weight|\.linear", "", role)


def _flagged(findings: Sequence[Finding]) -> list[tuple[str, int]]:
    """Roles and layers that a finding worse than a note names."""
    places = [place for item in findings if item.severity != "note" for place in item.where.split(", ")]
    return [(short(found[2]), int(found[1])) for place in places if (found := LAYER.fullmatch(place))]


def _curves(subject: Subject) -> BiasCurves | None:
    """Read the table at every distance; None where there is none, or no rule to read it by."""
    table, config = subject.table, subject.checkpoint.config
    if table is None or config is None:
        return None
    try:
        rule = bucket_rule(own_settings(config))
    except ValueError:
        return None
    return BiasCurves(rule.distances * 1000 * config.frame_seconds, table[rule.buckets].T)
