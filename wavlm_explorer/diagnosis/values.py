"""Family: values. Are the numbers those of weights, one tensor at a time?"""

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from .check import Check, Problem, check, listing
from .statistics import Statistics, sample
from .subject import Subject

LARGEST = 1e3  # trained weights of speech models stay below 100, layer norms included
SPIKE = 300  # times the standard deviation; outlier weights of trained transformers reach some 60
DAMAGED = "The tensor is damaged: fetch the file again, or find the step that wrote it."
SMALLEST_NORMAL = torch.finfo(torch.float32).tiny
FEWEST_FOR_STATISTICS = 1000  # numbers, for a statement on how they are spread
FEWEST_FOR_LEVELS = 16_000
FEW_LEVELS = 512  # distinct numbers; bfloat16 weights of a matrix have thousands
MOSTLY = 0.95


def is_matrix(name: str, tensor: Tensor) -> bool:
    """Whether a tensor is a weight of some size: no bias, no layer norm, no gate's constant."""
    return tensor.ndim > 1 and tensor.numel() >= FEWEST_FOR_STATISTICS and not name.endswith("grep_a")


@check("error")
def not_finite(subject: Subject) -> Iterator[Problem]:
    """No tensor holds NaN or infinity."""
    for name, numbers in subject.statistics.items():
        if not numbers.is_finite:
            tensor = subject.numbers[name]
            counts = [f"{numbers.num_nan} NaN"] * (numbers.num_nan > 0)
            counts += [f"{numbers.num_infinite} infinite"] * (numbers.num_infinite > 0)
            first = tuple((~tensor.isfinite()).nonzero()[0].tolist())
            advice = DAMAGED
            if tensor.dtype == torch.float16 and numbers.num_infinite:
                advice = "Half precision ends at 65504: what was larger became infinite. Convert anew, to bfloat16."
            place = f"{list(first)}{_head_of(subject, name)}"
            yield Problem(name, f"{' and '.join(counts)} of {numbers.num} numbers, the first at {place}.", advice)


def _head_of(subject: Subject, name: str) -> str:
    """Say which heads' rows or columns the broken numbers are in, where all are in few heads."""
    tensor, heads = subject.numbers[name], subject.num_heads
    broken = ~tensor.isfinite()
    if re.search(r"self_attn\.[qkv]_proj\.(weight|bias)$", name):
        along = broken.flatten(1).any(dim=1) if broken.ndim > 1 else broken
    elif name.endswith("self_attn.out_proj.weight") and broken.ndim == 2:
        along = broken.any(dim=0)
    else:
        return ""
    if len(along) % heads:
        return ""
    found = along.view(heads, -1).any(dim=1).nonzero().flatten().tolist()
    return (
        f", in head{'s' * (len(found) > 1)} {listing([str(head) for head in found])} only" if len(found) < heads else ""
    )


@check("error")
def not_floating_point(subject: Subject) -> Iterator[Problem]:
    """Every tensor holds floating point numbers."""
    for name, tensor in subject.checkpoint.tensors.items():
        if not tensor.is_floating_point():
            kind = str(tensor.dtype).removeprefix("torch.")
            yield Problem(name, f"Its numbers are {kind}.", "Dequantise or convert the file to float32 first.")


@check("error")
def huge_values(subject: Subject) -> Iterator[Problem]:
    """No number is larger than any weight of a trained speech model: 1000."""
    for name, numbers in subject.statistics.items():
        if numbers.largest > LARGEST:
            large = sample(subject.numbers[name]).abs()
            wild = float(((large > 1e10) | ((large < 1e-30) & (large > 0))).float().mean())
            swapped = " Most numbers have absurd exponents, as with swapped bytes." if wild > 0.3 else ""
            yield Problem(name, f"The largest number is {numbers.largest:.3g}.{swapped}", DAMAGED)


@check("warning")
def spikes(subject: Subject) -> Iterator[Problem]:
    """No single weight stands out from its matrix as a flipped bit would."""
    for name, numbers in subject.statistics.items():
        if is_matrix(name, subject.numbers[name]) and 0 < SPIKE * numbers.std < numbers.largest <= LARGEST:
            place = subject.numbers[name].flatten().float().nan_to_num().abs().argmax()
            index = [int(part) for part in torch.unravel_index(place, subject.numbers[name].shape)]
            yield Problem(
                name,
                f"{numbers.largest:.3g} at {index}: {numbers.largest / numbers.std:.0f} standard deviations.",
                DAMAGED,
            )


@check("error")
def all_zero(subject: Subject) -> Iterator[Problem]:
    """No weight is zero throughout; fresh biases and layer norms' biases may be."""
    for name, numbers in subject.statistics.items():
        tensor = subject.numbers[name]
        may_be = name.endswith("bias") or name == "mask_emb"
        if numbers.num and numbers.is_finite and numbers.num_zeros == numbers.num and not may_be:
            yield Problem(name, f"All {tensor.numel()} numbers are zero.", f"It was lost on the way. {DAMAGED}")
        elif name == "mask_emb" and numbers.num and numbers.num_zeros == numbers.num:
            yield Problem(name, "All numbers are zero.", "Matters only for training with masks.", "note")


@check("error")
def constant_tensors(subject: Subject) -> Iterator[Problem]:
    """No weight is one number repeated; fresh layer norms and gates may be."""
    for name, numbers in subject.statistics.items():
        may_be = re.search(r"norm\.weight$|conv_layers\.\d+\.2\.(1\.)?weight$|grep_a$|bias$", name)
        is_one = numbers.is_constant and numbers.num > 1 and numbers.is_finite
        if is_one and numbers.lowest != 0 and not (may_be and numbers.lowest == 1):
            yield Problem(name, f"All {numbers.num} numbers are {numbers.lowest:.4g}.", DAMAGED)


@check("error")
def cut_short(subject: Subject) -> Iterator[Problem]:
    """No weight ends, or begins, in a long run of zeros, as one that was written or fetched in part."""
    for name, numbers in subject.statistics.items():
        tensor = subject.numbers[name]
        if not is_matrix(name, tensor) or not 0.02 * numbers.num < numbers.num_zeros < numbers.num:
            continue
        places = tensor.detach().flatten().nonzero().flatten()
        first, last = int(places[0]), int(places[-1])
        for length, end in ((numbers.num - 1 - last, "last"), (first, "first")):
            if length > 0.02 * numbers.num and length > 64:
                yield Problem(name, f"The {end} {length} of {numbers.num} numbers are zero.", DAMAGED)


@check("warning")
def many_zeros(subject: Subject) -> Iterator[Problem]:
    """Weights hold no zeros to speak of; blocks of zeros are what quantisation noise leaves when it runs too long.

    The original writes that noise into the weights themselves and never takes it back.
    """
    for name, numbers in subject.statistics.items():
        tensor = subject.numbers[name]
        share = numbers.num_zeros / max(numbers.num, 1)
        if not is_matrix(name, tensor) or not 0.03 < share < 1:
            continue
        blocks = tensor.detach().flatten()[: numbers.num // 8 * 8].view(-1, 8) == 0
        alike = float((blocks.all(dim=1) | ~blocks.any(dim=1)).float().mean())
        in_blocks = (
            alike > MOSTLY and int(blocks.all(dim=1).sum()) > 3 and tensor.ndim == 2 and tensor.shape[1] % 8 == 0
        )
        how = (
            "in blocks of eight: quantisation noise was written into the weights"
            if in_blocks
            else "the tensor was pruned"
        )
        yield Problem(name, f"{share:.1%} of its numbers are exactly zero, {how}.", "Use weights from before that.")


@check("warning")
def shifted(subject: Subject) -> Iterator[Problem]:
    """Matrices are centred at zero: a mean of half a standard deviation is no training's work."""
    for name, numbers in subject.statistics.items():
        tensor = subject.numbers[name]
        is_linear = re.search(r"(_proj|fc1|fc1\.linear|fc2)\.weight$", name)
        if is_linear and is_matrix(name, tensor) and numbers.std > 0 and abs(numbers.mean) > 0.5 * numbers.std:
            signs = "all of one sign, " if numbers.lowest >= 0 or numbers.highest <= 0 else ""
            yield Problem(
                name, f"Its numbers are {signs}{numbers.mean:.3g} in the mean, {numbers.std:.3g} in spread.", DAMAGED
            )


@check("warning")
def quantised(subject: Subject) -> Iterator[Problem]:
    """Weights take on thousands of different numbers, not the 256 of an 8-bit format."""
    few = [
        (name, levels, grid)
        for name, tensor in subject.sound.items()
        if is_matrix(name, tensor)
        and tensor.numel() >= 16 * FEWEST_FOR_STATISTICS
        and not _is_flat(subject.statistics[name])
        for levels, grid in [(int(sample(tensor)[::4].unique().numel()), on_grid(tensor))]
        if levels <= FEW_LEVELS or grid
    ]
    if few:
        levels = ", ".join(f"{grid}-bit rows" if grid else f"{count} levels" for _, count, grid in few[:1])
        yield Problem(
            listing([name for name, *_ in few]),
            f"Rounded to a coarse grid ({levels}): quantised and expanded again.",
            "Use the weights from before the quantisation.",
        )


def _is_flat(numbers: Statistics) -> bool:
    return numbers.is_constant or numbers.num_zeros > 0.5 * numbers.num


def on_grid(tensor: Tensor) -> int:
    """Return the bits, 4 or 8, of the even grid that every row of a matrix lies on; 0 for none."""
    rows = tensor.detach()[:: max(1, len(tensor) // 16)].float().flatten(1)  # some 16 rows
    peaks = rows.abs().amax(dim=1, keepdim=True)
    used = peaks[:, 0] > SMALLEST_NORMAL
    rows, peaks = rows[used], peaks[used]
    if len(rows) < 2:
        return 0
    for bits, steps in ((4, (7, 8)), (8, (127, 128))):
        for count in steps:
            levels = rows / peaks * count
            if float((levels - levels.round()).abs().max()) < 0.02:
                return bits
    return 0


@check("warning")
def denormal_numbers(subject: Subject) -> Iterator[Problem]:
    """No numbers are so small that processors slow down on them."""
    for name, numbers in subject.statistics.items():
        small = sample(subject.numbers[name]).abs()
        share = float(((small > 0) & (small < SMALLEST_NORMAL)).float().mean()) if numbers.num else 0.0
        if share > 0.01:
            yield Problem(name, f"{share:.0%} of its numbers are below {SMALLEST_NORMAL:.2g}.", DAMAGED)


CHECKS: tuple[Check, ...] = (
    not_finite,
    not_floating_point,
    huge_values,
    spikes,
    all_zero,
    constant_tensors,
    cut_short,
    many_zeros,
    shifted,
    quantised,
    denormal_numbers,
)
