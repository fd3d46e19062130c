"""A tensor in numbers: computed once for each, and shared by all checks."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

SAMPLE_SIZE = 1 << 16  # numbers looked at where a sample is enough


class Statistics(NamedTuple):
    """Numbers of one tensor; all but the counts are over its finite numbers."""

    num: int
    num_nan: int
    num_infinite: int
    num_zeros: int
    lowest: float
    highest: float
    mean: float
    std: float

    @property
    def largest(self) -> float:
        """The largest of the absolute values."""
        return max(abs(self.lowest), abs(self.highest))

    @property
    def root_mean_square(self) -> float:
        """What the size of a typical number is."""
        return math.hypot(self.mean, self.std)

    @property
    def is_finite(self) -> bool:
        """Whether there is neither NaN nor infinity."""
        return not (self.num_nan or self.num_infinite)

    @property
    def is_constant(self) -> bool:
        """Whether all numbers are the same one."""
        return self.lowest == self.highest


def measure(tensor: Tensor) -> Statistics:
    """Measure a tensor of floating point numbers, in float32 or better."""
    numbers = tensor.detach().flatten()
    numbers = numbers if numbers.dtype in (torch.float32, torch.float64) else numbers.float()
    count, num_nan, num_infinite = numbers.numel(), 0, 0
    lowest, highest = (float(end) for end in numbers.aminmax()) if count else (0.0, 0.0)
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        num_nan, num_infinite = int(numbers.isnan().sum()), int(numbers.isinf().sum())
        numbers = numbers[numbers.isfinite()]
        lowest, highest = (float(end) for end in numbers.aminmax()) if len(numbers) else (0.0, 0.0)
    if not len(numbers):
        return Statistics(count, num_nan, num_infinite, 0, 0.0, 0.0, 0.0, 0.0)
    num_zeros = len(numbers) - int(torch.count_nonzero(numbers))
    if max(abs(lowest), abs(highest)) > 1e15:
        numbers = numbers.double()  # squares of such numbers leave float32
    mean = float(numbers.mean())
    std = float(numbers.std(correction=0)) if lowest != highest else 0.0
    return Statistics(count, num_nan, num_infinite, num_zeros, lowest, highest, mean, std)


def sample(tensor: Tensor) -> Tensor:
    """Take up to SAMPLE_SIZE numbers, evenly spread, as float32."""
    numbers = tensor.detach().flatten()
    return numbers[:: max(1, numbers.numel() // SAMPLE_SIZE)].float()


def correlation(first: Tensor, second: Tensor) -> float:
    """Pearson's correlation over the finite pairs; 0 where one of them does not vary."""
    known = first.isfinite() & second.isfinite()
    first, second = first[known].double(), second[known].double()
    if len(first) < 3:
        return 0.0
    a, b = first - first.mean(), second - second.mean()
    scale = float(a.norm() * b.norm())
    return float(a @ b) / scale if scale > 0 else 0.0


def log_norms(weight: Tensor, dim: int) -> Tensor:
    """Logarithms of the lengths of rows (dim=1) or columns (dim=0); minus infinity where all is zero."""
    return torch.linalg.vector_norm(weight.detach().float(), dim=dim).log()
