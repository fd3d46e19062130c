"""Interventions in what flows from layer to layer. "x <- y" puts y in the place of x."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

from ..indices import Heads, check_index, choose

if TYPE_CHECKING:
    from ..tracing import Trace


@dataclass(frozen=True)
class FramesHidden:
    """Frames of the sound are hidden as in pre-training, x[i] <- m, where m is the model's own mask embedding.

    It takes the place of the front end's frame, projected to the transformer's width, before the positional
    convolution: neighbours hear it too. It touches on everything, so it costs a whole pass.

    frames: one, several or a slice, 20 ms each; None for all.
    """

    frames: Heads


@dataclass(frozen=True)
class LayersSkipped:
    """A layer lets its input through, x[l + 1] <- x[l]. What is shown of its inside is what it would have done."""

    layers: Heads


@dataclass(frozen=True)
class StatesPatched:
    """Frames of one hidden state are taken from another trace: x[s][i] <- y[s][i'], known as activation patching.

    state: s, as in `Trace.hidden_states`: 0 enters layer 0, s leaves layer s - 1.
    other: the trace that y is of, through this or another model of as many layers and the same width.
    frames: those i to be replaced: one, several, a slice, or None for all.
    sources: the frames i' of the other trace that replace them, one each; None takes those of the same numbers.
    """

    state: int
    other: "Trace"
    frames: Heads = None
    sources: Heads = None

    def bind(self, shape: tuple[int, int, int]) -> tuple[int, "Patch"]:
        """Find the state and the numbers for hidden states of that shape, [states, frames, width].

        Raises: IndexError naming the range; ValueError where states or frames do not correspond.
        """
        num_states, num_frames, width = shape
        found = self.other.hidden_states
        if (found.shape[0], found.shape[2]) != (num_states, width):
            raise ValueError(
                f"other: expected a trace with {num_states} hidden states of width {width}; found {found.shape[0]} of "
                f"width {found.shape[2]}"
            )
        state, frames = check_index("state", self.state, num_states), choose("frame", self.frames, num_frames)
        chosen = frames.tolist() if self.sources is None else self.sources
        sources = choose("frame of the other trace", chosen, self.other.num_frames)
        if len(frames) != len(sources):
            raise ValueError(f"sources: expected one for each of {len(frames)} frames; found {len(sources)}")
        return state, Patch(frames, found[state, sources])


@dataclass(frozen=True, eq=False)
class Patch:
    """Frames of a state, and what takes their place."""

    frames: Tensor  # [chosen], indices
    values: Float[Tensor, "chosen width"]

    def apply(self, x: Float[Tensor, "frames 1 width"]) -> Float[Tensor, "frames 1 width"]:
        """Return a state with these frames replaced; the one given is left alone."""
        return x.index_copy(0, self.frames.to(x.device), self.values[:, None].to(x))
