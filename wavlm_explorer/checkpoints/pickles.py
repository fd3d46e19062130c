"""Pickles read as data: tensors, plain values, inert placeholders for everything else; nothing is imported or run.

An interpreter of our own, because the standard library's calls `__setstate__` on whatever a file puts before it, hashes
keys without a limit of depth and sizes its memo by a number in the file; and because torch's own (`weights_only`) stops
at the first foreign class unless that is allowed process-wide, for all sessions at once.
"""

import pickle
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from .contents import Placeholder
from .errors import CheckpointError
from .rebuilding import DTYPES, KNOWN, Workshop, check_key

MAX_STEPS = 4_000_000  # instructions; a WavLM-Large with its optimiser has some 100,000
MAX_COPIED = 2**26  # bytes or items that the calls in a pickle copy, such as to make a tuple of a list
MAX_DEPTH = 200  # of containers in each other
MAX_NAME = 200  # characters of a module or a class
MAX_LINE = 5_000  # characters of a number or a name written as text

Storages = Callable[[tuple[Any, ...]], Any]  # persistent id -> a flat tensor


@dataclass(frozen=True)
class Reading:
    """What a pickle holds, the position after it, and the names of the classes that placeholders stand for."""

    value: Any
    end: int
    foreign: tuple[str, ...]


def read_pickle(data: memoryview, start: int = 0, storages: Storages | None = None) -> Reading:
    """Read the pickle that starts at a position; `storages` gives the flat tensor that a persistent id stands for.

    The result can be cyclic, as a file's objects can.

    Raises: CheckpointError for what is no pickle as torch.save writes it, or one that would cost without bound.
    """
    interpreter = _Interpreter(data, start, storages)
    try:
        value = interpreter.run()
    except CheckpointError:
        raise
    except Exception as error:  # the file is a stranger's: any failure of the reader is a statement about it
        raise CheckpointError(
            f"The pickle in the file is damaged near its byte {interpreter.position - start:,} "
            f"({type(error).__name__}). Fetch the file again."
        ) from None
    _check_depth(value)
    return Reading(value, interpreter.position, tuple(interpreter.foreign))


class _Interpreter:
    """The pickle machine: a stack, marks in it, and a memo; each instruction is a function in `INSTRUCTIONS`."""

    def __init__(self, data: memoryview, start: int, storages: Storages | None) -> None:
        self.data = data
        self.position = start
        self.storages = storages
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.foreign: dict[str, None] = {}
        self.workshop = Workshop(budget=min(len(data) - start, MAX_COPIED))

    def run(self) -> Any:
        for _ in range(MAX_STEPS):
            opcode = self.take(1)[0]
            if opcode == STOP:
                return self.stack.pop()
            if opcode not in INSTRUCTIONS:
                raise CheckpointError(f"The file's pickle has an instruction torch.save never writes, {opcode:#x}.")
            INSTRUCTIONS[opcode](self)
        raise CheckpointError(f"The file's pickle is longer than {MAX_STEPS:,} instructions: it was not read.")

    def take(self, count: int) -> memoryview:
        """The next bytes."""
        end = self.position + count
        if end > len(self.data):
            raise CheckpointError(
                f"The file's pickle goes on to byte {end:,}; there are {len(self.data):,}. It was cut short or is "
                "damaged: fetch it again."
            )
        self.position, start = end, self.position
        return self.data[start:end]

    def number(self, layout: str) -> Any:
        return struct.unpack(layout, self.take(struct.calcsize(layout)))[0]

    def line(self) -> str:
        line, newline, _ = bytes(self.data[self.position : self.position + MAX_LINE]).partition(b"\n")
        if not newline:
            raise CheckpointError("The file's pickle has a line without an end: it is damaged. Fetch it again.")
        self.position += len(line) + 1
        return line.decode()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def since_mark(self) -> list[Any]:
        """Take off the stack what came since the last mark."""
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def take_down(self, count: int) -> tuple[Any, ...]:
        items = tuple(self.stack[len(self.stack) - count :])
        if len(items) < count:
            raise IndexError
        del self.stack[-count:]
        return items

    def name(self, module: Any, name: Any) -> None:
        """Push what stands for a class or function: a dtype, or a placeholder with its name."""
        if not (isinstance(module, str) and isinstance(name, str)) or max(len(module), len(name)) > MAX_NAME:
            raise CheckpointError("The file's pickle names a class with what is no name: it was not read.")
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)  # Python 2
        full = f"{module}.{name}"
        if full not in KNOWN:
            self.foreign[full] = None
        self.push(DTYPES[full] if full in DTYPES else Placeholder(full))

    def call(self, function: Any, arguments: Any) -> None:
        """Push what a call stands for: a tensor or plain value that we build, or a placeholder."""
        if not (isinstance(function, Placeholder) and isinstance(arguments, tuple)):
            raise CheckpointError("The file's pickle calls what is no class or function: it was not read.")
        # In a state dict the name of a tensor lies on the stack just below what the tensor is made of.
        tensor = next((item for item in reversed(self.stack[-8:]) if isinstance(item, str)), "a tensor")
        self.push(self.workshop.build(function, arguments, tensor))

    def call_with_keywords(self, function: Any, arguments: Any, keywords: Any) -> None:
        """As `call`; the keywords become the last argument."""
        self.workshop.spend(len(arguments))
        self.call(function, (*arguments, keywords) if keywords else arguments)

    def call_first(self, items: Sequence[Any]) -> None:
        self.call(items[0], tuple(items[1:]))

    def instance(self) -> None:
        self.name(self.line(), self.line())
        self.call(self.stack.pop(), tuple(self.since_mark()))

    def build(self) -> None:
        """Keep what would have become an object's attributes; of containers and tensors it is dropped."""
        target, state = self.take_down(2)
        if isinstance(target, Placeholder):
            target.state = state
        elif not isinstance(target, dict | Tensor):
            raise CheckpointError(f"The file's pickle gives attributes to a {type(target).__name__}: it was not read.")
        self.push(target)

    def put_items(self, items: Sequence[Any]) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if isinstance(target, Placeholder):
                target.items.append((key, value))
            elif isinstance(target, dict):
                target[check_key(key)] = value
            else:
                raise TypeError

    def dictionary(self, items: Sequence[Any]) -> None:
        self.push({})
        self.put_items(items)

    def append(self, items: Sequence[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list | Placeholder):
            raise TypeError
        (target.items if isinstance(target, Placeholder) else target).extend(items)

    def add(self, items: Sequence[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, set):
            raise TypeError
        target.update(map(check_key, items))

    def persistent(self) -> None:
        identity = self.stack.pop()
        if self.storages is None or not isinstance(identity, tuple):
            raise CheckpointError("The file's pickle refers to something outside of it that is no tensor's storage.")
        self.push(self.storages(identity))

    def text(self, count: int) -> None:
        self.push(bytes(self.take(count)).decode("utf-8", "surrogatepass"))

    def string(self, count: int) -> None:
        """Push a Python 2 string: text where it is text."""
        raw = bytes(self.take(count))
        try:
            self.push(raw.decode())
        except UnicodeDecodeError:
            self.push(raw)

    def long(self, count: int) -> None:
        self.push(int.from_bytes(self.take(count), "little", signed=True))

    def whole_number(self) -> None:
        line = self.line()
        self.push({"00": False, "01": True}[line] if line in ("00", "01") else int(line))


def _check_depth(root: Any) -> None:
    level, seen = [root], {id(root)}
    for _ in range(MAX_DEPTH):
        children = []
        for item in level:
            if isinstance(item, Placeholder):
                inside = (item.arguments, item.state, item.items)
            elif isinstance(item, dict):
                inside = item.values()
            else:
                inside = item if isinstance(item, list | tuple) else ()
            children += [child for child in inside if isinstance(child, dict | list | tuple | Placeholder)]
        level = []
        for child in children:
            if id(child) not in seen:
                seen.add(id(child))
                level.append(child)
        if not level:
            return
    raise CheckpointError(f"The file's objects lie more than {MAX_DEPTH} deep in each other: it was not read.")


_OPCODES: dict[bytes, Callable[[_Interpreter], Any]] = {
    # Plain values
    pickle.NONE: lambda m: m.push(None),
    pickle.NEWTRUE: lambda m: m.push(True),
    pickle.NEWFALSE: lambda m: m.push(False),
    pickle.BININT: lambda m: m.push(m.number("<i")),
    pickle.BININT1: lambda m: m.push(m.number("<B")),
    pickle.BININT2: lambda m: m.push(m.number("<H")),
    pickle.LONG1: lambda m: m.long(m.number("<B")),
    pickle.LONG4: lambda m: m.long(m.number("<I")),
    pickle.INT: lambda m: m.whole_number(),
    pickle.LONG: lambda m: m.push(int(m.line().rstrip("L"))),
    pickle.FLOAT: lambda m: m.push(float(m.line())),
    pickle.BINFLOAT: lambda m: m.push(m.number(">d")),
    pickle.SHORT_BINUNICODE: lambda m: m.text(m.number("<B")),
    pickle.BINUNICODE: lambda m: m.text(m.number("<I")),
    pickle.BINUNICODE8: lambda m: m.text(m.number("<Q")),
    pickle.SHORT_BINSTRING: lambda m: m.string(m.number("<B")),
    pickle.BINSTRING: lambda m: m.string(m.number("<I")),
    pickle.SHORT_BINBYTES: lambda m: m.push(bytes(m.take(m.number("<B")))),
    pickle.BINBYTES: lambda m: m.push(bytes(m.take(m.number("<I")))),
    pickle.BINBYTES8: lambda m: m.push(bytes(m.take(m.number("<Q")))),
    pickle.BYTEARRAY8: lambda m: m.push(bytes(m.take(m.number("<Q")))),
    # Containers
    pickle.EMPTY_TUPLE: lambda m: m.push(()),
    pickle.EMPTY_LIST: lambda m: m.push([]),
    pickle.EMPTY_DICT: lambda m: m.push({}),
    pickle.EMPTY_SET: lambda m: m.push(set()),
    pickle.TUPLE: lambda m: m.push(tuple(m.since_mark())),
    pickle.TUPLE1: lambda m: m.push(m.take_down(1)),
    pickle.TUPLE2: lambda m: m.push(m.take_down(2)),
    pickle.TUPLE3: lambda m: m.push(m.take_down(3)),
    pickle.DICT: lambda m: m.dictionary(m.since_mark()),
    pickle.LIST: lambda m: m.push(m.since_mark()),
    pickle.FROZENSET: lambda m: m.push(frozenset(map(check_key, m.since_mark()))),
    pickle.APPEND: lambda m: m.append(m.take_down(1)),
    pickle.APPENDS: lambda m: m.append(m.since_mark()),
    pickle.SETITEM: lambda m: m.put_items(m.take_down(2)),
    pickle.SETITEMS: lambda m: m.put_items(m.since_mark()),
    pickle.ADDITEMS: lambda m: m.add(m.since_mark()),
    # Objects
    pickle.GLOBAL: lambda m: m.name(m.line(), m.line()),
    pickle.STACK_GLOBAL: lambda m: m.name(*m.take_down(2)),
    pickle.REDUCE: lambda m: m.call(*m.take_down(2)),
    pickle.NEWOBJ: lambda m: m.call(*m.take_down(2)),
    pickle.NEWOBJ_EX: lambda m: m.call_with_keywords(*m.take_down(3)),
    pickle.OBJ: lambda m: m.call_first(m.since_mark()),
    pickle.INST: lambda m: m.instance(),
    pickle.BUILD: lambda m: m.build(),
    pickle.BINPERSID: lambda m: m.persistent(),
    # The machine itself
    pickle.PROTO: lambda m: m.take(1),
    pickle.FRAME: lambda m: m.take(8),
    pickle.MARK: lambda m: m.marks.append(len(m.stack)),
    pickle.POP: lambda m: m.stack.pop(),
    pickle.POP_MARK: lambda m: m.since_mark(),
    pickle.DUP: lambda m: m.push(m.stack[-1]),
    pickle.BINPUT: lambda m: m.memo.__setitem__(m.number("<B"), m.stack[-1]),
    pickle.LONG_BINPUT: lambda m: m.memo.__setitem__(m.number("<I"), m.stack[-1]),
    pickle.MEMOIZE: lambda m: m.memo.__setitem__(len(m.memo), m.stack[-1]),
    pickle.BINGET: lambda m: m.push(m.memo[m.number("<B")]),
    pickle.LONG_BINGET: lambda m: m.push(m.memo[m.number("<I")]),
}
INSTRUCTIONS = {opcode[0]: instruction for opcode, instruction in _OPCODES.items()}
STOP = pickle.STOP[0]
