"""What stands for the calls in a pickle: functions of ours for tensors and plain values, placeholders for the rest."""

import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import torch
from torch import Tensor

from .contents import Placeholder
from .errors import CheckpointError

MAX_DIMENSIONS = 16
MAX_ARGUMENTS = 16
MAX_KEY = 10_000  # characters

DTYPES: dict[str, torch.dtype] = {str(value): value for value in vars(torch).values() if isinstance(value, torch.dtype)}
STORAGES: dict[str, torch.dtype] = {
    f"torch.{name}Storage": dtype
    for name, dtype in {
        "Double": torch.float64,
        "Float": torch.float32,
        "Half": torch.float16,
        "BFloat16": torch.bfloat16,
        "Long": torch.int64,
        "Int": torch.int32,
        "Short": torch.int16,
        "Char": torch.int8,
        "Byte": torch.uint8,
        "Bool": torch.bool,
        "ComplexDouble": torch.complex128,
        "ComplexFloat": torch.complex64,
    }.items()
}
STORAGES |= {"torch.storage.UntypedStorage": torch.uint8, "torch.UntypedStorage": torch.uint8}

# numpy's names of plain numbers -> struct's
NUMBERS = {"f8": "d", "f4": "f", "f2": "e", "b1": "?"}
NUMBERS |= {"i8": "q", "i4": "i", "i2": "h", "i1": "b", "u8": "Q", "u4": "I", "u2": "H", "u1": "B"}


def check_key(key: Any) -> Any:
    """Return a key of a dictionary or set that is cheap to hash: a nested one can take for ever or exhaust the stack.

    Raises: CheckpointError for any other.
    """
    parts = key if type(key) is tuple and len(key) <= MAX_ARGUMENTS else (key,)
    for part in parts:
        short = isinstance(part, str | bytes) and len(part) <= MAX_KEY
        small = isinstance(part, int) and -(2**60) < part < 2**60  # greater ones can be made to collide
        if not (short or small or part is None or isinstance(part, float | Placeholder | torch.dtype)):
            raise CheckpointError(f"A dictionary in the file has a {type(key).__name__} as a key: it was not read.")
    return key


def is_count(number: Any) -> TypeGuard[int]:
    """Whether a file's number can be a size, a place or a number of bytes."""
    return type(number) is int and 0 <= number < 2**62


def strided(storage: Any, offset: Any, size: Any, stride: Any, name: str) -> Tensor:
    """View a flat tensor in another shape, after a check that it holds what is asked for; `name` is for the message.

    Raises: CheckpointError.
    """
    if not (_is_flat(storage) and isinstance(size, tuple) and isinstance(stride, tuple)):
        raise CheckpointError(f"{name[:100]}: expected a tensor as torch.save writes it. The file is damaged.")
    fields = (offset, *size, *stride)
    if len(size) != len(stride) or len(size) > MAX_DIMENSIONS or not all(map(is_count, fields)):
        raise CheckpointError(
            f"{name[:100]}: expected at most {MAX_DIMENSIONS} sizes and as many strides, not negative. "
            "The file is damaged."
        )
    num_elements = 1
    for length in size:
        num_elements *= length
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if num_elements == 0:
        return torch.empty(size, dtype=storage.dtype)
    if last >= len(storage) or num_elements > len(storage):
        raise CheckpointError(
            f"{name[:100]}: a tensor of {num_elements:,} numbers whose last lies at place {last:,}; the file holds "
            f"{len(storage):,} for it. It poses as larger than it is: save it with .contiguous().clone()."
        )
    return storage.as_strided(size, stride, offset)


def _is_flat(storage: Any) -> TypeGuard[Tensor]:
    return isinstance(storage, Tensor) and storage.dim() == 1


class Workshop:
    """Builds what a pickle's calls stand for; all copies together cost no more than the budget, in items or bytes."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.name = ""  # of the tensor that is being built, as far as it is known

    def build(self, function: Placeholder, arguments: tuple[Any, ...], name: str) -> Any:
        builder = BUILDERS.get(function.name)
        if builder and len(arguments) <= MAX_ARGUMENTS:
            self.name = name
            built = builder(self, *arguments)
            if built is not NotImplemented:
                return built
        stranger = Placeholder(function.name)
        stranger.arguments = arguments
        return stranger

    def spend(self, cost: int) -> None:
        self.budget -= cost
        if self.budget < 0:
            raise CheckpointError("The file's pickle copies its own values over and over: it was not read.")

    def tensor(self, storage: Any, offset: Any, size: Any, stride: Any, _grad=False, _hooks=None, metadata=None) -> Any:
        if metadata:  # a view that is conjugated or negated on the fly
            return NotImplemented
        return strided(storage, offset, size, stride, self.name)

    def typed_tensor(self, storage: Any, offset: Any, size: Any, stride: Any, _grad, _hooks, dtype, data=None) -> Any:
        if not (_is_flat(storage) and storage.dtype == torch.uint8 and isinstance(dtype, torch.dtype)):
            raise CheckpointError(f"{self.name[:100]}: expected a tensor as torch.save writes it. The file is damaged.")
        whole = storage[: len(storage) // dtype.itemsize * dtype.itemsize]
        return self.tensor(whole.view(dtype), offset, size, stride, metadata=data)

    def of_type(self, function: Any, _kind: Any, arguments: Any, _state: Any = None) -> Any:
        if isinstance(function, Placeholder) and function.name in TENSORS and isinstance(arguments, tuple):
            return self.build(function, arguments, self.name)
        return NotImplemented

    def quantised(self, *_: Any) -> Any:
        raise CheckpointError(
            f"{self.name[:100]} is a quantised tensor (torch._utils._rebuild_qtensor), which is not read. "
            "Save the model as it was before quantisation."
        )

    def dictionary(self, items: Any = None) -> Any:
        if isinstance(items, dict):
            self.spend(len(items))
            return dict(items)
        if isinstance(items, list | tuple):
            self.spend(len(items))
            return {check_key(key): value for key, value in items}
        return {}  # of a defaultdict: what would make its values

    def sequence(self, kind: Callable[[Iterable[Any]], Any], items: Any = ()) -> Any:
        if not isinstance(items, list | tuple | set | frozenset):
            return NotImplemented
        self.spend(len(items))
        return kind(map(check_key, items) if kind in (set, frozenset) else items)

    def encoded(self, text: Any = b"", encoding: Any = "latin-1") -> Any:
        if isinstance(text, bytes):
            return text
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            return NotImplemented
        self.spend(len(text))
        return text.encode("latin-1")

    def complex(self, real: Any, imaginary: Any) -> Any:
        return complex(real, imaginary) if type(real) is type(imaginary) is float else NotImplemented

    def device(self, kind: Any, index: Any = None) -> Any:
        if not isinstance(kind, str):
            return NotImplemented
        return kind if index is None else f"{kind[:20]}:{index if type(index) is int and abs(index) < 2**31 else '?'}"

    def numpy_number(self, dtype: Any, raw: Any = None) -> Any:
        described = isinstance(dtype, Placeholder) and dtype.arguments and isinstance(dtype.state, tuple)
        if not (described and isinstance(dtype.arguments[0], str) and isinstance(raw, bytes)):
            return NotImplemented
        code, order = NUMBERS.get(dtype.arguments[0]), dtype.state[1]
        if code is None or order not in ("<", ">", "|"):
            return NotImplemented
        return struct.unpack((">" if order == ">" else "<") + code, raw)[0]

    def reconstructed(self, kind: Any, base: Any, state: Any = None) -> Any:
        if not (isinstance(kind, Placeholder) and isinstance(base, Placeholder)):
            return NotImplemented
        stranger = Placeholder(kind.name)
        stranger.arguments = () if base.name == "builtins.object" else (state,)
        return stranger


TENSORS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": Workshop.tensor,
    "torch._utils._rebuild_tensor_v2": Workshop.tensor,
    "torch._utils._rebuild_tensor_v3": Workshop.typed_tensor,
    "torch._utils._rebuild_qtensor": Workshop.quantised,
    "torch._utils._rebuild_parameter": lambda _, data, *rest: data,
    "torch._utils._rebuild_parameter_with_state": lambda _, data, *rest: data,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": lambda _, data, *rest: data,
}
BUILDERS: dict[str, Callable[..., Any]] = TENSORS | {
    "torch._tensor._rebuild_from_type_v2": Workshop.of_type,
    "torch._tensor._rebuild_from_type": Workshop.of_type,
    "torch.tensor._rebuild_from_type": Workshop.of_type,
    "torch.Size": lambda shop, *items: shop.sequence(tuple, *items),
    "torch.device": Workshop.device,
    "collections.OrderedDict": Workshop.dictionary,
    "collections.Counter": Workshop.dictionary,
    "collections.defaultdict": lambda shop, *factory: {},
    "builtins.dict": Workshop.dictionary,
    "builtins.list": lambda shop, *items: shop.sequence(list, *items),
    "builtins.tuple": lambda shop, *items: shop.sequence(tuple, *items),
    "builtins.set": lambda shop, *items: shop.sequence(set, *items),
    "builtins.frozenset": lambda shop, *items: shop.sequence(frozenset, *items),
    "builtins.bytearray": Workshop.encoded,
    "builtins.bytes": Workshop.encoded,
    "builtins.complex": Workshop.complex,
    "_codecs.encode": Workshop.encoded,
    "numpy.core.multiarray.scalar": Workshop.numpy_number,
    "numpy._core.multiarray.scalar": Workshop.numpy_number,
    "copyreg._reconstructor": Workshop.reconstructed,
}
KNOWN = frozenset([*BUILDERS, *DTYPES, *STORAGES, "builtins.object", "numpy.dtype"])
