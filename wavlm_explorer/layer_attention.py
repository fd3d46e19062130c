"""One layer's attention over one clip, by rows: queries, keys and gates are computed once, maps when asked for."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor

from .encoder import TransformerEncoder
from .measures import Estimate, MapSums, estimate, mean_measures, position_share, row_distance, row_entropy
from .modules import MultiheadAttention, rows_at_once
from .pooling import max_pool, pool_highest

Indices = Int[Tensor, " chosen"]


class AttentionTerms(NamedTuple):
    """One head's attention, taken apart: logits = content + position, position = gate x bucket_bias.

    Where an intervention bars a key, the logit is minus infinity; content and position stay.
    """

    content: Float[Tensor, "queries keys"]  # scaled q.k
    bucket_bias: Float[Tensor, "queries keys"]  # zeros for a model without relative positions
    gate: Float[Tensor, " queries"]  # ones for a model without a gate
    position: Float[Tensor, "queries keys"]
    logits: Float[Tensor, "queries keys"]
    weights: Float[Tensor, "queries keys"]  # softmax(logits), rows sum to one, or to zero where every key is barred

    @property
    def bars(self) -> Float[Tensor, "..."]:
        """What makes the logits of content + position: 0, or minus infinity where a key is barred."""
        return torch.zeros_like(self.logits).masked_fill(self.logits.isneginf(), float("-inf"))


class AttentionParts(NamedTuple):
    """What the maps of one layer are made of: none of the parts is frames x frames.

    weights[i, j] = softmax over j of (q[i] . k[j] + gate[i] curve[j - i]), over the keys that are not barred.
    """

    q: Float[Tensor, "1 heads frames head_dim"]  # scaled
    k: Float[Tensor, "1 heads frames head_dim"]
    gate: Float[Tensor, "1 heads frames"]
    curve: Float[Tensor, "heads distances"] | None  # the bias from 1 - frames to frames - 1; None without positions
    table: Float[Tensor, "heads distances"] | None  # the curve that the model holds, whatever was made of it above
    barred_distances: Bool[Tensor, "heads distances"] | None = None  # no query looks so far
    barred_keys: Bool[Tensor, "heads frames"] | None = None  # no query looks there


class Bars(NamedTuple):
    """What interventions add to a layer's logits: 0, or minus infinity by the distance or by the key."""

    distances: Float[Tensor, "heads distances"]  # from 1 - frames to frames - 1
    keys: Float[Tensor, "heads frames"]


class LayerSummary(NamedTuple):
    """All heads of a layer at a glance."""

    thumbnails: Float[Tensor, "heads query_cells key_cells"]  # each cell the largest weight of those it covers
    measures: dict[str, Float[Tensor, " heads"]]


def attention_parts(encoder: TransformerEncoder, layer: int, x: Float[Tensor, "frames 1 width"]) -> AttentionParts:
    """Make them of what enters a layer."""
    block = encoder.block(layer)
    x, attention = block.attention_input(x), block.self_attn
    curve = encoder.compute_bias_curve(len(x))
    q, k, gate = attention.project_query(x), attention.project_key(x), attention.compute_gate(x)
    return AttentionParts(q, k, gate, curve, curve)


class LayerAttention:
    """The attention of one layer. What is returned is float32 and on the CPU.

    Heads and rows (queries) are chosen by their indices. Nothing of frames x frames is held beyond what is asked for.
    """

    def __init__(self, attention: MultiheadAttention, parts: AttentionParts) -> None:
        self._attention = attention
        self._parts = parts
        _, self.num_heads, self.num_frames, _ = parts.q.shape

    def gate(self) -> Float[Tensor, "heads frames"]:
        """What each frame multiplies each head's bias by."""
        return to_cpu(self._parts.gate[0])

    def query(self) -> Float[Tensor, "heads frames head_dim"]:
        """The scaled queries; zeros where content is off."""
        return to_cpu(self._parts.q[0])

    def bias_curve(self) -> Float[Tensor, "heads distances"]:
        """The position bias, ungated, from the distance 1 - frames to frames - 1; zeros without relative positions."""
        if self._parts.curve is None:
            return torch.zeros(self.num_heads, 2 * self.num_frames - 1)
        return to_cpu(self._parts.curve)

    def bars(self) -> Bars:
        """What no query looks at."""
        distances = _as_bars(self._parts.barred_distances, (self.num_heads, 2 * self.num_frames - 1))
        return Bars(distances, _as_bars(self._parts.barred_keys, (self.num_heads, self.num_frames)))

    def gather(self, values: Float[Tensor, "1 heads frames head_dim"]) -> Float[Tensor, "1 heads frames head_dim"]:
        """What every frame gathers of the values by its weights, where the model is."""
        heads = torch.arange(self.num_heads)
        blocks = [self._weights(heads, rows) @ values[0] for rows in self._blocks(None, 1)]
        return torch.cat(blocks, dim=1)[None]

    def terms(self, heads: Indices, rows: Indices) -> AttentionTerms:
        """Take several heads apart at once: each term with an axis of heads before it."""
        content = self._content(heads, rows)
        gate = self._parts.gate[:, heads][:, :, rows]
        bias = self._bias(heads, rows)
        bias = torch.zeros_like(content) if bias is None else bias[None]
        position = self._attention.compute_position(gate, bias)
        logits, mask = content + position, self._mask(heads, rows)
        weights = self._attention.compute_weights(logits, mask)
        logits = logits if mask is None else logits + mask
        return AttentionTerms(*(to_cpu(term[0]) for term in (content, bias, gate, position, logits, weights)))

    def weights(self, heads: Indices, rows: Indices) -> Float[Tensor, "heads queries keys"]:
        """The last of the terms, without keeping the others."""
        return to_cpu(self._weights(heads, rows))

    def _weights(self, heads: Indices, rows: Indices) -> Float[Tensor, "heads queries keys"]:
        """The same where the model is, so that what is small in the end is made small before it travels."""
        logits, bias = self._content(heads, rows), self._bias(heads, rows)
        if bias is not None:
            logits += self._attention.compute_position(self._parts.gate[:, heads][:, :, rows], bias[None])
        return self._attention.compute_weights(logits, self._mask(heads, rows))[0]

    def overview(self, heads: Indices, factor: int) -> Float[Tensor, "heads query_cells key_cells"]:
        """The maps, each cell the largest of factor x factor weights."""
        blocks = [pool_highest(self._weights(heads, rows), factor) for rows in self._blocks(len(heads), factor)]
        return to_cpu(torch.cat(blocks, dim=1))

    def mean_overview(self, factor: int) -> Float[Tensor, "query_cells key_cells"]:
        """The same of the mean of all heads' maps."""
        heads = torch.arange(self.num_heads)
        blocks = [pool_highest(self._weights(heads, rows).mean(dim=0), factor) for rows in self._blocks(None, factor)]
        return to_cpu(torch.cat(blocks))

    def terms_overview(self, head: Indices, factor: int) -> AttentionTerms:
        """One head's terms, each cell the value that is largest in size of factor x factor; of the gate, of factor."""
        blocks = [[_pool_term(term, factor) for term in self.terms(head, rows)] for rows in self._blocks(1, factor)]
        return AttentionTerms(*(torch.cat(parts, dim=1)[0] for parts in zip(*blocks, strict=True)))

    def summary(self, factor: int, frame_seconds: float) -> LayerSummary:
        """Overview and measures of every head, in one go over the maps."""
        heads, sums, pooled = torch.arange(self.num_heads), MapSums(self.num_frames), []
        content, position = self.content_variance(), self.position_variance()
        for rows in self._blocks(None, factor):
            weights = self._weights(heads, rows)
            pooled.append(pool_highest(weights, factor))
            sums.add(weights, content[:, rows], position[:, rows])
        return LayerSummary(to_cpu(torch.cat(pooled, dim=1)), sums.measures(frame_seconds))

    def sampled_measures(self, rows: Indices, frame_seconds: float) -> dict[str, Estimate]:
        """The measures of every head, as rows chosen at random tell them."""
        entropy, distance = self._row_numbers(rows)
        numbers = mean_measures(entropy, distance, self.num_frames, frame_seconds)
        share = position_share(self.content_variance().sum(dim=-1), self.position_variance().sum(dim=-1))
        estimates = {name: estimate(values, self.num_frames) for name, values in numbers.items()}
        return estimates | {"position_share": Estimate(share.float(), torch.zeros_like(share).float())}

    def _row_numbers(self, rows: Indices) -> tuple[Float[Tensor, "heads queries"], Float[Tensor, "heads queries"]]:
        """Entropy (nats) and mean distance (frames) of the rows chosen, of every head."""
        heads, entropies, distances = torch.arange(self.num_heads), [], []
        for part in rows.split(self._num_rows(self.num_heads)):
            weights = self._weights(heads, part)
            entropies.append(to_cpu(row_entropy(weights)))
            distances.append(to_cpu(row_distance(weights, part)))
        return torch.cat(entropies, dim=1), torch.cat(distances, dim=1)

    def content_variance(self) -> Float[Tensor, "heads queries"]:
        """Variance of q.k along each row, without the row: it is q' C q, with the covariance C of the keys."""
        q, k = self._parts.q[0].float(), self._parts.k[0].float()  # [heads, frames, head_dim]
        k = k - k.mean(dim=1, keepdim=True)
        covariance = k.transpose(1, 2) @ k / self.num_frames  # [heads, head_dim, head_dim]
        return ((q @ covariance) * q).sum(dim=-1).cpu().double()

    def position_variance(self) -> Float[Tensor, "heads queries"]:
        """Variance of gate x bias along each row, without the row: each is a window on the bias curve."""
        gate = self._parts.gate[0].cpu().double()
        if self._parts.curve is None:
            return torch.zeros_like(gate)
        curve = self._parts.curve.cpu().double()
        curve = curve - curve.mean(dim=1, keepdim=True)
        mean, square = (self._window_means(values) for values in (curve, curve**2))
        return gate**2 * (square - mean**2).clamp(min=0)

    def _window_means(self, curve: Float[Tensor, "heads distances"]) -> Float[Tensor, "heads queries"]:
        """Means over the distances that each query has; those of the first query are the last."""
        sums = torch.nn.functional.pad(curve.cumsum(dim=1), (1, 0))
        return ((sums[:, self.num_frames :] - sums[:, : -self.num_frames]) / self.num_frames).flip(1)

    def _content(self, heads: Indices, rows: Indices) -> Float[Tensor, "1 heads queries keys"]:
        some_heads, some_rows = _without_copies(heads), _without_copies(rows)
        q, k = self._parts.q[:, some_heads], self._parts.k[:, some_heads]
        return self._attention.compute_content(q[:, :, some_rows], k)

    def _bias(self, heads: Indices, rows: Indices) -> Float[Tensor, "heads queries keys"] | None:
        return None if self._parts.curve is None else self._windows(self._parts.curve, heads, rows)

    def _mask(self, heads: Indices, rows: Indices) -> Float[Tensor, "1 heads queries keys"] | None:
        """Minus infinity where a key is barred, else 0; None where nothing is."""
        distances, keys = self._parts.barred_distances, self._parts.barred_keys
        if distances is None and keys is None:
            return None
        q = self._parts.q
        barred = torch.zeros(len(heads), len(rows), self.num_frames, dtype=torch.bool, device=q.device)
        if distances is not None:
            barred |= self._windows(distances, heads, rows)
        if keys is not None:
            barred |= keys[heads, None]
        return torch.zeros_like(barred, dtype=q.dtype).masked_fill(barred, float("-inf"))[None]

    def _windows(
        self, curve: Shaped[Tensor, "heads distances"], heads: Indices, rows: Indices
    ) -> Shaped[Tensor, "heads queries keys"]:
        """What each query's keys have on a curve over all distances, from 1 - frames to frames - 1."""
        curve, num_frames, some_rows = curve[_without_copies(heads)], self.num_frames, _without_copies(rows)
        if len(rows) and isinstance(some_rows, slice):  # each row is a window, one further left than the row before
            first = num_frames - some_rows.stop
            return curve[:, first : first + len(rows) + num_frames - 1].unfold(1, num_frames, 1).flip(1)
        distances = torch.arange(num_frames) - rows[:, None]  # [queries, keys]
        return curve[:, distances + num_frames - 1]

    def _num_rows(self, num_heads: int) -> int:
        return rows_at_once(self._parts.q.device, num_heads, self.num_frames)

    def _blocks(self, num_heads: int | None, factor: int) -> Iterator[Indices]:
        """All rows, in blocks of a multiple of `factor`."""
        num_rows = self._num_rows(self.num_heads if num_heads is None else num_heads)
        yield from torch.arange(self.num_frames).split(max(1, num_rows // factor) * factor)


def _without_copies(indices: Indices) -> slice | Indices:
    """Indices that follow each other, as a slice: what it takes is a view."""
    first, length = int(indices[0]) if len(indices) else 0, len(indices)
    return slice(first, first + length) if torch.equal(indices, torch.arange(first, first + length)) else indices


def _as_bars(barred: Bool[Tensor, "heads places"] | None, shape: tuple[int, int]) -> Float[Tensor, "heads places"]:
    return torch.zeros(shape) if barred is None else torch.zeros(shape).masked_fill(barred.cpu(), float("-inf"))


def _pool_term(term: Tensor, factor: int) -> Tensor:
    return max_pool(term, factor) if term.ndim == 3 else max_pool(term[:, None], (1, factor))[:, 0]  # the gate is flat


def to_cpu(tensor: Tensor) -> Float[Tensor, "..."]:
    """Bring a result to where and what all results are."""
    return tensor.to("cpu", torch.float32)
