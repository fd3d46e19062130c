"""Chapter: what a frame sees."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..audio import SAMPLE_RATE
from ..excerpt import can_hear
from ..figures.style import Palette
from ..figures.waveform import frame_windows, heard_samples
from ..hearing import sensitivity
from ..tracing import Trace
from ..views.view import Choice, Exhibit, Note, WholeNumber, choose_frame
from .chapter import Scene, Verdict

MOST_APART = 5


def choices(trace: Trace) -> tuple[Choice, ...]:
    """The frame, and how far from it another one is."""
    most = min(MOST_APART, trace.num_frames - 1)
    least = min(1, most)
    return choose_frame(trace), WholeNumber("apart", "Frames apart", "To the second frame.", least, most, least)


def begin(trace: Trace) -> dict[str, Any]:
    """At the loudest frame and its neighbour."""
    config = trace.model.config
    windows = torch.tensor(trace.audio.samples).unfold(0, config.receptive_field_samples, config.hop_samples)
    return {"frame": int(windows.square().sum(dim=1).argmax()), "apart": min(1, trace.num_frames - 1)}


def exhibits(trace: Trace, palette: Palette, frame: int, apart: int) -> Iterator[Exhibit | Note]:
    """Yield the samples that two frames see, and how strongly the first answers to each of them."""
    config, other = trace.model.config, _other(trace, frame, apart)
    seen, start, other_start = config.receptive_field_samples, frame * config.hop_samples, other * config.hop_samples
    shared = max(0, seen - apart * config.hop_samples)
    yield Exhibit(
        "frame_windows",
        frame_windows(trace, frame, other, palette),
        f"Frame {frame} sees samples {start:,} to {start + seen - 1:,} of the clip. Of these {seen} samples frame "
        f"{other} sees {shared or 'none'} as well.",
        lambda: {
            "first": trace.audio.samples[start : start + seen],
            "second": trace.audio.samples[other_start : other_start + seen],
        },
    )
    if not can_hear(trace.model):
        yield Note(
            "How strongly a frame answers to each sample cannot be shown here: this trace was opened from a file, and "
            "the convolutions that hear did not come with it. Choose a sample or a recording in the sidebar to see it."
        )
        return
    heard, begins = sensitivity(trace, frame)
    yield Exhibit(
        "heard_samples",
        heard_samples(trace, frame, heard, begins, palette),
        f"Outside the {_milliseconds(seen)} that the frame sees, shaded, no sample moves it. "
        f"Half of its answer comes from {_milliseconds(_half_of(heard))}.",
        lambda: {"sensitivity": heard.numpy()},
    )


def judge(trace: Trace, frame: int, apart: int) -> Verdict:
    """Done where the windows of the two frames just no longer share a sample."""
    config = trace.model.config
    seen, step = config.receptive_field_samples, apart * config.hop_samples
    if trace.num_frames - 1 < -(-seen // config.hop_samples):
        return Verdict(False, "This clip has too few frames. Choose a longer one to try it.")
    shared = max(0, seen - step)
    words = (
        f"{apart} frame{'s' * (apart != 1)} apart: their starts lie {step} samples ({_milliseconds(step)}) apart, and "
        f"each sees {seen} ({_milliseconds(seen)}). They share {f'{shared} samples' if shared else 'no sample'}."
    )
    if shared == 0 and step - config.hop_samples >= seen:
        return Verdict(False, f"{words} So do frames that are nearer to each other.")
    return Verdict(shared == 0, words)


def _other(trace: Trace, frame: int, apart: int) -> int:
    return frame + apart if frame + apart < trace.num_frames else max(0, frame - apart)


def _half_of(shares: Float[Tensor, " samples"]) -> int:
    """How many samples it takes to make up half of the answer."""
    return int((shares.sort(descending=True).values.cumsum(dim=0) < 0.5).sum()) + 1


def _milliseconds(samples: int) -> str:
    return f"{1000 * samples / SAMPLE_RATE:.3g} ms"


SCENE = Scene("attention", choices, begin, exhibits, judge)
