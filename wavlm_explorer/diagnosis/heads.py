"""Family: heads and their couplings. Which head is dead or a copy, which matrix does not belong where it is?

Scaling a row of the query projection up and the same row of the key projection down changes nothing, so training leaves
such pairs balanced: their lengths go together. The same holds for rows of the value projection and columns of the
output projection, and for rows of fc1 and columns of fc2. Where they do not, one of the two is not what it was.
"""

from collections.abc import Iterator
from statistics import median

import torch
from torch import Tensor

from .check import Check, Problem, check, listing
from .statistics import correlation, log_norms
from .subject import LAYER, PROJECTIONS, Subject, cosines

SAME = 0.9995  # cosine between two heads' weights
EXCHANGED = 0.25  # gain of the two correlations, in the mean; 0.5 and more where it was tried, below 0 in sound layers
COUPLED = 0.5  # correlation that trained pairs have at least (0.7 to 0.95 where it was measured)
ADVICE_LOST = "Take the tensor from the original."


def per_head(weight: Tensor, name: str, num_heads: int) -> Tensor | None:
    """A projection cut into heads [heads, ...]: rows of queries, keys and values, columns of the output."""
    weight = weight.T if name == "out_proj" else weight
    return weight.unflatten(0, (num_heads, -1)) if len(weight) % num_heads == 0 else None


@check("warning")
def identical_heads(subject: Subject) -> Iterator[Problem]:
    """No two heads of a layer have the same weights."""
    for layer in range(subject.num_layers):
        for name in PROJECTIONS:
            weight = subject.of_layer(layer, f"self_attn.{name}.weight")
            parts = None if weight is None else per_head(weight, name, subject.num_heads)
            if parts is None or len(parts) < 2:
                continue
            alike = cosines(parts).triu(diagonal=1) > SAME
            for first, second in alike.nonzero()[:6].tolist():
                yield Problem(
                    f"layer {layer}, heads {first} and {second}",
                    f"They have the same {name} weights.",
                    "One head was copied over the other: whatever reads heads apart counts one twice.",
                )


@check("warning")
def dead_heads(subject: Subject) -> Iterator[Problem]:
    """No head has queries, keys, values or outputs of nothing but zeros."""
    for layer in range(subject.num_layers):
        for name in PROJECTIONS:
            weight = subject.of_layer(layer, f"self_attn.{name}.weight")
            parts = None if weight is None else per_head(weight, name, subject.num_heads)
            if parts is None or not weight.any():  # type: ignore[union-attr]
                continue
            for head in (~parts.flatten(1).any(dim=1)).nonzero().flatten().tolist():
                effect = "every frame attends by position alone" if name in ("q_proj", "k_proj") else "it adds nothing"
                yield Problem(
                    f"layer {layer}, head {head}",
                    f"Its {name} weights are zero: {effect}.",
                    "If it was pruned, that is all right and remove it wholly; else " + ADVICE_LOST.lower(),
                )


@check("warning")
def zero_rows(subject: Subject) -> Iterator[Problem]:
    """No matrix has rows or columns of zeros, and no convolution a dead channel."""
    for name, tensor in subject.sound.items():
        numbers = subject.statistics[name]
        if tensor.ndim < 2 or tensor.numel() < 256 or not numbers.num_zeros or numbers.num_zeros == numbers.count:
            continue
        used = tensor.detach() != 0
        rows = (~used.flatten(1).any(dim=1)).nonzero().flatten().tolist()
        columns = (~used.transpose(0, 1).flatten(1).any(dim=1)).nonzero().flatten().tolist()
        for what, found, length in (("rows", rows, tensor.shape[0]), ("columns", columns, tensor.shape[1])):
            if found and length > 1:
                pruned = _is_pruned(subject, name, what, found)
                yield Problem(
                    name,
                    f"{len(found)} of {length} {what} are zero: {listing([str(index) for index in found])}"
                    + (", and so is what they are multiplied with." if pruned else "."),
                    "If units were pruned, remove them; else take the tensor from the original.",
                    "note" if pruned else None,
                )


def _is_pruned(subject: Subject, name: str, what: str, units: list[int]) -> bool:
    """Whether units of a feed-forward are dead on both sides, as pruning or decay leaves them: they do no harm."""
    found = LAYER.fullmatch(name)
    hidden = subject.feed_forward(int(found[1])) if found else None
    sides = {("fc1.weight", "rows"), ("fc1.linear.weight", "rows"), ("fc2.weight", "columns")}
    if hidden is None or found is None or (found[2], what) not in sides:
        return False
    units = [unit % hidden[1].shape[1] for unit in units]  # in a GLU a unit has a second row, its gate's
    return not hidden[0][units].any() and not hidden[1][:, units].any()


@check("warning")
def repeated_rows(subject: Subject) -> Iterator[Problem]:
    """No matrix repeats one row many times."""
    for name, tensor in subject.sound.items():
        if tensor.ndim < 2 or len(tensor) < 16 or tensor[0].numel() < 8 or "grep_" in name:
            continue
        marks = tensor.detach().flatten(1)[:, :8].float()  # eight numbers tell rows apart
        marks = marks[marks.any(dim=1)]
        repeated = len(marks) - len(marks.unique(dim=0))
        if repeated > 0:
            yield Problem(name, f"{repeated} of its {len(tensor)} rows repeat another one.", ADVICE_LOST)


@check("warning", "trained")
def mismatched_pairs(subject: Subject) -> Iterator[Problem]:
    """In every layer the rows of q_proj and k_proj, v_proj and out_proj, fc1 and fc2 belong to each other.

    Source: balancedness under gradient descent, arXiv 1806.00900; correlations of 0.7 to 0.95 in trained models here.
    """
    for pair, layers in subject.couplings.items():
        width = next((len(weight) for weight in subject.roles.get("final_layer_norm.weight", {}).values()), 1)
        least = 0.15 + width**-0.5  # above what chance gives
        for layer, value in layers.items():
            others = [other for index, other in layers.items() if index != layer]
            if len(others) > 1 and value < least and median(others) > COUPLED:
                yield Problem(
                    f"layer {layer}, {pair}",
                    f"Their rows do not belong to each other (correlation {value:.2f}; {median(others):.2f} in the "
                    "other layers).",
                    "One of them was transposed, mixed up with another tensor, reordered or drawn anew. Compare both "
                    "with the original's.",
                )


@check("warning", "trained")
def mixed_up_roles(subject: Subject) -> Iterator[Problem]:
    """Queries, keys, values and outputs are under their own names in all layers, as couplings tell.

    Catches packed projections that were cut in another order than q, k, v, and square matrices that were transposed.
    """
    pairs = subject.couplings
    if any(not layers for layers in pairs.values()):
        return
    typical = {pair: median(layers.values()) for pair, layers in pairs.items()}
    if typical["fc1 and fc2"] < COUPLED or min(typical["q_proj and k_proj"], typical["v_proj and out_proj"]) > 0.25:
        return
    explanations = {
        "v_proj and out_proj are exchanged": ("out_proj", 1, "v_proj", 0),
        "q_proj and k_proj are transposed": ("q_proj", 0, "k_proj", 0),
        "v_proj and out_proj are transposed": ("v_proj", 0, "out_proj", 1),
        "q_proj alone is transposed": ("q_proj", 0, "k_proj", 1),
        "k_proj alone is transposed": ("q_proj", 1, "k_proj", 0),
        "v_proj alone is transposed": ("v_proj", 0, "out_proj", 0),
        "out_proj alone is transposed": ("v_proj", 1, "out_proj", 1),
    }
    is_explained = False
    for what, (first, side, second, other_side) in explanations.items():
        values = []
        for layer in range(subject.num_layers):
            a, b = (subject.of_layer(layer, f"self_attn.{name}.weight") for name in (first, second))
            if a is not None and b is not None:
                values.append(correlation(log_norms(a, side), log_norms(b, other_side)))
        if values and median(values) > COUPLED:
            is_explained = True
            yield Problem(
                "all layers",
                f"It looks as if {what}: read so, the rows belong to each other (correlation {median(values):.2f}).",
                "Packed projections hold q, k, v in this order; PyTorch keeps matrices as [outputs, inputs].",
            )
    if not is_explained and not exchanged_layers(subject):
        pair = min(pairs, key=lambda pair: typical[pair])
        yield Problem(
            f"all layers, {pair}",
            f"Their rows do not belong to each other (correlation {typical[pair]:.2f}; fc1 and fc2 have "
            f"{typical['fc1 and fc2']:.2f}).",
            "Were heads and their channels laid out in another order? Compare with the original's.",
        )


def exchanged_layers(subject: Subject) -> dict[str, list[int]]:
    """In which layers rows belong better to each other if the values' projection trades names: exchange -> layers."""
    found: dict[str, list[int]] = {"q_proj and v_proj": [], "k_proj and v_proj": []}
    for layer in range(subject.num_layers):
        weights = [subject.of_layer(layer, f"self_attn.{name}.weight") for name in PROJECTIONS]
        q, k, v, out = (
            None if weight is None else log_norms(weight, dim=int(name != "out_proj"))
            for name, weight in zip(PROJECTIONS, weights, strict=True)
        )
        if q is None or k is None or v is None or out is None:
            continue
        named = correlation(q, k) + correlation(v, out)
        if correlation(v, k) + correlation(q, out) > named + 2 * EXCHANGED:
            found["q_proj and v_proj"].append(layer)
        if correlation(q, v) + correlation(k, out) > named + 2 * EXCHANGED:
            found["k_proj and v_proj"].append(layer)
    return {what: layers for what, layers in found.items() if layers}


@check("warning", "trained")
def exchanged_values(subject: Subject) -> Iterator[Problem]:
    """In no layer do queries or keys stand under the values' name, as couplings tell."""
    for what, layers in exchanged_layers(subject).items():
        where = "all layers" if len(layers) == subject.num_layers else f"layer{'s' * (len(layers) > 1)} "
        yield Problem(
            where if where == "all layers" else where + listing([str(layer) for layer in layers]),
            f"{what} look exchanged: read so, queries and keys, values and outputs belong to each other.",
            "Packed projections hold q, k, v in this order. Exchange the weights, and the biases if they went along.",
        )


@check("warning", "trained")
def exchanged_halves(subject: Subject) -> Iterator[Problem]:
    """In a GLU the value is the first half of fc1, the gate the second: fc2 is balanced with the value.

    In no layer the rows of the second half belong better to the columns of fc2 than those of the first.
    """
    turned = []
    for layer in range(subject.num_layers):
        both, hidden = subject.of_layer(layer, "fc1.linear.weight"), subject.feed_forward(layer)
        if both is None or hidden is None:
            continue
        value, gate = (correlation(log_norms(half, 1), log_norms(hidden[1], 0)) for half in both.chunk(2))
        if gate > max(COUPLED, value + 0.05):
            turned.append(str(layer))
    if turned:
        yield Problem(
            f"layer{'s' * (len(turned) > 1)} {listing(turned)}",
            "The halves of fc1.linear look exchanged: fc2 belongs to what is called the gate.",
            "Other code puts the gate first: exchange the halves of weight and bias.",
        )


def exchange_signs(subject: Subject) -> dict[int, tuple[float, float]]:
    """How far each layer's query and key biases point to where the other projection is strong: layer -> (q, k).

    A bias of the queries is multiplied with all keys and learns their strong directions; one of the keys cancels in the
    softmax, learns nothing, and points anywhere, which gives 1.
    """
    found = {}
    for layer in range(subject.num_layers):
        parts = [
            subject.of_layer(layer, f"self_attn.{name}_proj.{kind}") for name in "qk" for kind in ("weight", "bias")
        ]
        q, q_bias, k, k_bias = parts
        if q is None or k is None or q_bias is None or k_bias is None or len(q) % subject.num_heads:
            continue
        if not (q_bias.any() and k_bias.any()):
            continue
        found[layer] = (_alignment(q_bias, k, subject.num_heads), _alignment(k_bias, q, subject.num_heads))
    return found


def _alignment(bias: Tensor, weight: Tensor, num_heads: int) -> float:
    bias, weight = bias.unflatten(0, (num_heads, -1)), weight.unflatten(0, (num_heads, -1))
    reached = torch.einsum("hd,hdc->hc", bias, weight).norm(dim=1)
    chance = bias.norm(dim=1) * weight.flatten(1).norm(dim=1) * bias.shape[1] ** -0.5
    return float((reached / chance.clamp(min=1e-30)).mean())


@check("warning", "trained")
def exchanged_queries(subject: Subject) -> Iterator[Problem]:
    """Queries and keys are not exchanged: only the queries' bias can learn, the keys' cancels in the softmax."""
    signs = exchange_signs(subject)
    ratios = {layer: q / k for layer, (q, k) in signs.items() if k > 0}
    if len(ratios) < 3:
        return
    turned = [layer for layer, ratio in ratios.items() if ratio < 1 / 1.35 and signs[layer][0] < 1.8]
    if len(turned) > 0.8 * len(ratios) and median(ratios.values()) < 1 / 1.5:
        turned = ["all"]
    else:
        others = median(ratios.values())
        turned = [layer for layer in turned if others > 1.2 and len(turned) < len(ratios) / 3]
    for layer in turned:
        yield Problem(
            f"{layer} layers" if layer == "all" else f"layer {layer}",
            "q_proj and k_proj look exchanged: the bias that is called the keys' has learned, the queries' has not.",
            "Attention is then turned around: keys ask and queries answer. Exchange both weights and biases.",
        )


CHECKS: tuple[Check, ...] = (
    identical_heads,
    dead_heads,
    zero_rows,
    repeated_rows,
    mismatched_pairs,
    mixed_up_roles,
    exchanged_values,
    exchanged_halves,
    exchanged_queries,
)
