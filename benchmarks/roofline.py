"""How fast the machine could be: the model's operations over its rate of matrix products."""

from collections.abc import Callable

import torch

SIDE = 2048  # of the square matrices whose product is timed
PRODUCT_OPERATIONS = 2 * SIDE**3
LIBRARIES = ("MKL", "oneDNN", "cuBLAS")


def products(device: str) -> dict[str, Callable[[], object]]:
    """library -> one product of two square float32 matrices by it."""
    a, b = torch.rand(2, SIDE, SIDE, device=device)
    if device != "cpu":
        return {"cuBLAS": lambda: a @ b}
    tasks: dict[str, Callable[[], object]] = {"MKL": lambda: a @ b}
    if torch.backends.mkldnn.is_available():
        tasks["oneDNN"] = lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
    return tasks
