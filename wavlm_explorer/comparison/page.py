"""A difference as a page: summary, pictures and tables."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..document import Document, Plate
from ..figures.comparison import change_map, divergence_maps, similarity_curves, similarity_matrix
from .behaviour import Behaviour
from .divergence import Divergence
from .summary import percent
from .tensors import LAYER_ROLES, TensorChange, by_part, by_place, relative_change

if TYPE_CHECKING:
    from .difference import Difference, Side

MARK_OF_STATUS = {"only in a": "−", "only in b": "+", "other shape": "≠", "not finite": "!"}
NO_COUNTERPART = "The two have different numbers of heads: none has a counterpart."
NAME_LENGTH = 28  # of a checkpoint's name on a picture


def make_page(difference: "Difference") -> str:
    """Return one self-contained HTML page."""
    a, b = difference.a.name, difference.b.name
    document = Document(f"{a} and {b}, side by side", difference.summary)
    document.add_facts([("A", _describe(difference.a)), ("B", _describe(difference.b))])
    _add_config(document, difference)
    _add_tensors(document, difference.tensors)
    if difference.behaviour is not None:
        _add_states(document, difference.behaviour, a, b)
        _add_attention(document, difference.behaviour.divergence)
    _add_every_tensor(document, difference)
    return document.to_html()


def _describe(side: "Side") -> str:
    facts = [side.name, f"{side.layout} layout", f"with a head for {side.head}" if side.head else ""]
    return " · ".join(fact for fact in [*facts, *side.problems] if fact)


def _add_config(document: Document, difference: "Difference") -> None:
    if difference.fields:
        document.add_heading("Config")
        document.add_table(
            ("field", "A", "known how", "B", "known how", "matters"),
            [
                (one.name, str(one.value_a), one.how_a, str(one.value_b), one.how_b,
                 "in training only" if one.is_for_training_only else "always")
                for one in difference.fields
            ],
        )  # fmt: skip


def _add_tensors(document: Document, tensors: Sequence[TensorChange]) -> None:
    document.add_heading("What moved")
    document.add_text("Relative change is ||B − A|| / ||A||; exactly nothing is 0.")
    for plate in changes_of_tensors(tensors):
        document.add_picture(plate.draw, plate.caption)


def changes_of_tensors(tensors: Sequence[TensorChange]) -> Iterator[Plate]:
    """Yield maps of what moved: the layers, then what comes before them."""
    parts = list(by_part(tensors))
    layers = [part for part in parts if part.startswith("layer ")]
    if layers:
        yield _change_plate(
            tensors, layers, "Layers",
            "How far each part of each layer moved; a weight and its bias count as one. An empty cell is a part that "
            "neither has: a table of relative positions lives in layer 0 and serves every layer.",
        )  # fmt: skip
    others = [part for part in parts if part not in layers]
    if others:
        caption = "How far the front end, and what lies between it and the layers, moved."
        yield _change_plate(tensors, others, "Before the layers", caption)


def _change_plate(tensors: Sequence[TensorChange], parts: Sequence[str], title: str, caption: str) -> Plate:
    rows, columns, changes, marks = change_table(tensors, parts)
    return Plate(
        f"change_{title.lower().replace(' ', '_')}",
        lambda palette: change_map(rows, columns, changes, marks, title, palette),
        caption,
        lambda: {"relative_change": changes, "rows": np.array(rows), "columns": np.array(columns)},
    )


def change_table(
    tensors: Sequence[TensorChange], parts: Sequence[str]
) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Return (parts, roles, relative changes, marks): the last two [parts, roles], as `change_map` draws them."""
    places = {place: ones for place, ones in by_place(tensors).items() if place.part in parts}
    found = dict.fromkeys(place.role for place in places)
    roles = [*(role for role in LAYER_ROLES if role in found), *(role for role in found if role not in LAYER_ROLES)]
    changes = np.full((len(parts), len(roles)), np.nan)
    marks = np.full((len(parts), len(roles)), "", dtype="<U1")
    for place, ones in places.items():
        cell = parts.index(place.part), roles.index(place.role)
        change = relative_change(ones)
        changes[cell] = np.nan if change is None else change
        marks[cell] = next((MARK_OF_STATUS[one.status] for one in ones if one.status in MARK_OF_STATUS), "")
    return list(parts), roles, changes, marks


def _add_states(document: Document, behaviour: Behaviour, a: str, b: str) -> None:
    document.add_heading("Hidden states")
    heard = [f"{name} {'normalised' if one else 'as recorded'}" for name, one in
             (("A", behaviour.normalized_a), ("B", behaviour.normalized_b))]  # fmt: skip
    document.add_text(
        f"Both models heard `{behaviour.clip}`, {behaviour.seconds:.2f} s, {behaviour.num_frames} frames; each as its "
        f"own config wants it: {', '.join(heard)}."
    )
    for plate in similarities_of_states(behaviour, a, b):
        document.add_picture(plate.draw, plate.caption)


def similarities_of_states(behaviour: Behaviour, a: str, b: str) -> Iterator[Plate]:
    """Yield how alike the states are: each with its counterpart, where there are equally many, and each with all."""
    if behaviour.has_equal_depth:
        curves = {"CKA": np.diagonal(behaviour.cka), "CKA, debiased": np.diagonal(behaviour.debiased_cka)}
        curves |= {} if behaviour.cosine is None else {"cosine": behaviour.cosine}
        yield Plate(
            "similarity",
            lambda palette: similarity_curves(curves, "The same states of both models", palette),
            f"Linear CKA (arXiv 1905.00414, over {behaviour.cka_frames} frames) is 1 for states that are alike up to a "
            "rotation and a scale. With fewer frames than channels it overrates; debiased, it does not. The cosine "
            "compares channel by channel.",
            lambda: curves,
        )
    yield Plate(
        "similarity_of_pairs",
        lambda palette: similarity_matrix(behaviour.cka, a[:NAME_LENGTH], b[:NAME_LENGTH], palette),
        "Linear CKA of every state of A with every state of B; the best match of each row is framed.",
        lambda: {"cka": behaviour.cka, "debiased_cka": behaviour.debiased_cka},
    )


def _add_attention(document: Document, divergence: Divergence | None) -> None:
    document.add_heading("Attention")
    if divergence is None:
        document.add_text(NO_COUNTERPART)
    else:
        plate = divergence_of_attention(divergence)
        document.add_picture(plate.draw, plate.caption)


def divergence_of_attention(divergence: Divergence) -> Plate:
    """Return how far the attention of every head parts, and by which part of its logits."""
    panels = {
        "B's content in A": divergence.content,
        "B's position in A": divergence.position,
        "B against A": divergence.total,
    }
    return Plate(
        "attention_divergence",
        lambda palette: divergence_maps(panels, palette),
        "Jensen-Shannon divergence between the attention of A and that of B, per head, in bits, averaged over the "
        "rows: with only the content term of B put into A's logits, with only its position term (gate × bias), and "
        "with both. The first two need not add up to the third.",
        lambda: {"content": divergence.content, "position": divergence.position, "total": divergence.total},
    )


def _add_every_tensor(document: Document, difference: "Difference") -> None:
    document.add_heading("Every tensor")
    document.add_table(
        ("tensor", "status", "shape in A", "shape in B", "relative change", "cosine", "largest change"),
        [
            (one.name, one.status, _shape(one.shape_a), _shape(one.shape_b), percent(one.relative_change),
             _number(one.cosine, ".6f"), _number(one.largest_change, ".2e"))
            for one in difference.tensors
        ],
        fold=f"All {len(difference.tensors)} tensors",
    )  # fmt: skip
    left_out = [(letter, name, why) for letter, side in (("A", difference.a), ("B", difference.b))
                for name, why in side.left_out.items()]  # fmt: skip
    if left_out:
        document.add_table(
            ("in", "tensor", "why"), left_out, "Left out: no part of the encoder", f"{len(left_out)} tensors beside it"
        )


def _shape(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else " × ".join(map(str, shape)) or "one number"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
