"""Chapter: from waveform to frames."""

from collections.abc import Iterator
from typing import Any

from ..figures.style import Palette
from ..figures.waveform import waveform_frames
from ..tracing import Trace
from ..views.view import Choice, Exhibit, choose_frame
from .chapter import Scene, Verdict

TARGET_SECONDS = 1.0  # after the clip's start


def choices(trace: Trace) -> tuple[Choice, ...]:
    """The frame."""
    return (choose_frame(trace),)


def begin(trace: Trace) -> dict[str, Any]:
    """At the first frame."""
    return {"frame": 0}


def exhibits(trace: Trace, palette: Palette, frame: int) -> Iterator[Exhibit]:
    """Yield the waveform above its frames."""
    config, num_samples = trace.model.config, len(trace.audio.samples)
    seen, hop, width = config.receptive_field_samples, config.hop_samples, trace.hidden_states.shape[-1]
    yield Exhibit(
        "waveform_frames",
        waveform_frames(trace, frame, palette),
        f"S = {num_samples:,} samples make n = ({num_samples:,} − {seen}) / {hop} + 1 = {trace.num_frames} frames, "
        f"rounded down. Each is a column of {width} numbers, here as they enter layer 0.",
        lambda: {"frames": trace.hidden_states[0].numpy(), "frame_times": trace.frame_times.numpy()},
    )


def judge(trace: Trace, frame: int) -> Verdict:
    """Done at the frame whose centre is nearest to one second after the clip's start."""
    distances = (trace.frame_times - trace.audio.start - TARGET_SECONDS).abs()
    if trace.audio.duration < TARGET_SECONDS:
        return Verdict(False, "This clip is shorter than a second. Choose a longer one to try it.")
    after = float(trace.frame_times[frame]) - trace.audio.start
    centred = f"Frame {frame} is centred {after:.3f} s after the start of the clip"
    if frame == int(distances.argmin()):
        return Verdict(True, f"{centred}: no other is nearer to one second.")
    return Verdict(False, f"{centred}.")


SCENE = Scene("attention", choices, begin, exhibits, judge)
