"""Pickles: read as the standard library would read them where they are data, and never run where they are not."""

import argparse
import collections
import enum
import functools
import pathlib
import pickle
import struct
import sys
import threading
import types

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from payload import Payload

from wavlm_explorer.checkpoints.contents import Placeholder
from wavlm_explorer.checkpoints.errors import CheckpointError
from wavlm_explorer.checkpoints.pickles import read_pickle

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(-(2**50), 2**50), inner, max_size=4)
        | st.sets(st.integers(-(2**50), 2**50) | st.text(), max_size=4)
    ),
)


class Colour(enum.Enum):
    RED = 1


class Attributes(dict):
    """As Lightning's AttributeDict."""


class Names(list):
    """As omegaconf's ListConfig once was."""


class Outer:
    class Inner:
        def __init__(self):
            self.x = 3


def read(data: bytes):
    return read_pickle(memoryview(data)).value


def push(text: str) -> bytes:
    """The instruction that pushes a text."""
    return pickle.BINUNICODE + struct.pack("<I", len(text.encode())) + text.encode()


def call(name: str, *arguments: bytes) -> bytes:
    """Instructions that call a function of a module with what the arguments push."""
    module, _, function = name.rpartition(".")
    return f"c{module}\n{function}\n(".encode() + b"".join(arguments) + b"tR"


@given(PLAIN, st.integers(1, 5))
def test_plain_values_are_read_as_the_standard_library_reads_them(value, protocol):
    data = pickle.dumps(value, protocol)
    assert read(data) == pickle.loads(data) == value


@pytest.mark.parametrize("protocol", range(2, 6))
def test_known_containers_and_numbers_become_plain(protocol):
    value = {
        "ordered": collections.OrderedDict(a=1),
        "default": collections.defaultdict(list, a=[2]),
        "counter": collections.Counter("aab"),
        "frozen": frozenset({1, 2}),
        "bytes": bytearray(b"\xff\0"),
        "complex": 1 + 2j,
        "dtype": torch.bfloat16,
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "double": np.float64(0.1),
        "half": np.float16(0.5),
        "long": np.int64(-7),
        "switch": np.bool_(True),
        "swapped": np.dtype(">f4").type(2.5),
    }
    result = read_pickle(memoryview(pickle.dumps(value, protocol)))
    assert result.value == value | {"size": (2, 3), "device": "cpu"}
    plain = (dict, frozenset, bytes, complex, torch.dtype, tuple, str, float, int, bool)
    assert {type(item) for item in result.value.values()} <= set(plain)
    assert result.foreign == ()


@pytest.mark.parametrize("protocol", range(2, 6))
def test_foreign_objects_become_placeholders_with_what_was_stored(protocol):
    attributes, names = Attributes(lr=0.1), Names([1, 2])
    vars(attributes)["extra"] = "kept"
    value = [
        argparse.Namespace(arch="wavlm", layers=12),
        attributes,
        names,
        Colour.RED,
        pathlib.PurePosixPath("/data/train"),
        functools.partial(print, 1, end=""),
        Outer.Inner(),
        argparse.Namespace,
        eval,
        np.arange(3, dtype=np.int16),
    ]
    found = read(pickle.dumps(value, protocol))
    assert all(type(item) is Placeholder for item in found)
    namespace, attributes, names, colour, path, partial, inner, kind, function, array = found
    assert (namespace.name, namespace.state) == ("argparse.Namespace", {"arch": "wavlm", "layers": 12})
    assert (attributes.items, attributes.state) == ([("lr", 0.1)], {"extra": "kept"})
    assert names.items == [1, 2]
    assert (colour.name, colour.arguments) == (f"{__name__}.Colour", (1,))
    assert path.arguments[-2:] == ("data", "train") or path.arguments == ("/data/train",)
    assert partial.name == "functools.partial"
    assert inner.state == {"x": 3}
    assert (kind.name, kind.state, kind.arguments) == ("argparse.Namespace", None, ())
    assert function.name == "builtins.eval"
    assert array.name.startswith("numpy.")


def test_objects_of_modules_that_are_not_here_are_read():
    module = types.ModuleType("fairseq")
    vars(module)["Dictionary"] = type("Dictionary", (), {"__module__": "fairseq"})
    sys.modules["fairseq"] = module
    try:
        dictionary = vars(module)["Dictionary"]()
        vars(dictionary)["symbols"] = ["<s>", "a"]
        data = pickle.dumps({"task_state": {"dictionary": dictionary}})
    finally:
        del sys.modules["fairseq"]
    result = read_pickle(memoryview(data))
    assert result.foreign == ("fairseq.Dictionary",)
    assert result.value["task_state"]["dictionary"].state == {"symbols": ["<s>", "a"]}
    assert "fairseq" not in sys.modules


def test_old_python_s_objects_are_read():
    data = b"\x80\x01ccopy_reg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR}U\x01aK\x01sb."
    result = read_pickle(memoryview(data))
    assert (result.value.name, result.value.state) == ("argparse.Namespace", {"a": 1})
    assert result.foreign == ("argparse.Namespace",)
    assert read(b"(I01\nI00\nL5L\nF0.5\nU\x02\xff\xfel.") == [True, False, 5, 0.5, b"\xff\xfe"]


def mkdir(mark) -> dict[str, bytes]:
    """Pickles each of which would make a folder, by every instruction that calls or sets something."""
    path = push(str(mark))
    return {
        "reduce": pickle.dumps(Payload(mark)),
        "stack global": b"\x80\x04" + push("os") + push("mkdir") + b"\x93(" + path + b"tR.",
        "instance": b"(" + path + b"ios\nmkdir\n.",
        "object": b"(cos\nmkdir\n" + path + b"o.",
        "new object": b"\x80\x02cos\nmkdir\n(" + path + b"t\x81.",
        "new object with keywords": b"\x80\x04cos\nmkdir\n(" + path + b"t}\x92.",
        "getattr": call("builtins.getattr", b"cos\npath\n", push("mkdir")) + b"(" + path + b"tR.",
        "eval": call("builtins.eval", push(f"__import__('os').mkdir({str(mark)!r})")) + b".",
        "through a known function": b"ctorch._utils\n_rebuild_parameter\n(cos\nmkdir\n(" + path + b"tRtR.",
        "through a type": call("torch._tensor._rebuild_from_type_v2", b"cos\nmkdir\n", b"N", b"(" + path + b"t", b"N")
        + b".",
        "as a default": call("collections.defaultdict", b"cos\nmkdir\n") + path + b"Ns.",
        "qualified name": b"\x80\x04" + push("os") + push("path.os.mkdir") + b"\x93(" + path + b"tR.",
        "state": b"cargparse\nNamespace\n)\x81}" + push("__setstate__") + b"cos\nmkdir\nsb(" + path + b"tb.",
    }


@pytest.mark.parametrize("way", mkdir(""))
def test_no_instruction_runs_code(way, tmp_path):
    data = mkdir(tmp_path / "executed")[way]
    read_pickle(memoryview(data))
    assert not (tmp_path / "executed").exists()
    if way in ("reduce", "stack global", "instance", "object", "eval"):
        pickle.loads(data)
        assert (tmp_path / "executed").exists(), "the payload would have worked"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x82\x01.", "never writes"),  # from copyreg's registry of extensions
        (b"Kx\x97.", "never writes"),
        (b"Pos\n.", "never writes"),
        (b"K\x01Q.", "refers to something outside"),
        (b"K\x01)R.", "calls what is no class"),
        (b"cargparse\nNamespace\nK\x01R.", "calls what is no class"),
        (b"K\x01}b.", "gives attributes to a int"),
        (b"ctorch\nfloat32\n}b.", "gives attributes to a dtype"),
        (b"]K\x01K\x02s.", "damaged"),
        (b"}K\x01a.", "damaged"),
        (b"}]K\x01s.", "has a list as a key"),
        (b"}\x8a\x09" + b"\x01" * 9 + b"Ns.", "has a int as a key"),  # many such could be made to collide
        (b"h\x05.", "damaged"),
        (b"t.", "damaged"),
        (b".", "damaged"),
        (b"", "cut short"),
        (b"\x80\x02]", "cut short"),
        (b"\x8b\xff\xff\xff\x7f", "cut short"),
        (b"\x8e" + b"\xff" * 8, "cut short"),
        (b"\x96" + b"\xff" * 7 + b"\x7f", "cut short"),
        (b"X\xff\xff\xff\xff", "cut short"),
        (b"X\x01\x00\x00\x00\xff.", "damaged"),
        (b"I" + b"9" * 4900 + b"\n.", "damaged"),
        (b"L" + b"9" * 9000, "line without an end"),
        (b"c" + b"a" * 300 + b"\nb\n.", "what is no name"),
        (b"\x80\x04K\x01K\x02\x93.", "what is no name"),
        (call("torch._utils._rebuild_tensor_v2", b"NK\x00))\x89N") + b".", "expected a tensor as torch.save writes it"),
        (call("torch._utils._rebuild_qtensor") + b".", "quantised tensor"),
        (call("torch._utils._rebuild_parameter") + b".", "damaged"),
    ],
)
def test_odd_instructions_are_refused(data, message):
    with pytest.raises(CheckpointError, match=message):
        read_pickle(memoryview(data))


def sharing(levels: int) -> bytes:
    """A tuple of two of one tuple of two of ...: as many leaves as there are atoms, in a few bytes."""
    return b")" + b"2\x86" * levels


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"}" + b")" + b"\x85" * 1_000_000 + b"Ns.", "has a tuple as a key"),  # hashing it would exhaust the stack
        (b"}" + sharing(100) + b"Ns.", "has a tuple as a key"),  # hashing it would take for ever
        (b"\x8f(" + sharing(100) + b"\x90.", "has a tuple as a key"),
        (call("builtins.set", b"]" + sharing(100) + b"a") + b".", "has a tuple as a key"),
        (b"]" * 300 + b"a" * 299 + b".", "deep in each other"),
        (b")" + b"\x85" * 1_000_000 + b".", "deep in each other"),
        (b"N" * 4_000_001 + b".", "longer than"),
        (push("a" * 1_000_000) + b"q\x000" + call("_codecs.encode", b"h\x00") * 50 + b".", "over and over"),
        (b"(" + b"N" * 100_000 + b"lq\x000" + call("builtins.tuple", b"h\x00") * 50_000 + b".", "over and over"),
        (b"(" + b"".join(b"K%cN" % i for i in range(200)) + b"dq\x00" + call("builtins.dict", b"h\x00") * 99, "over"),
    ],
    ids=["deep key", "wide key", "wide member", "wide element", "lists", "tuples", "steps", "text", "list", "dict"],
)  # fmt: skip
def test_bombs_are_refused(data, message):
    with pytest.raises(CheckpointError, match=message):
        read_pickle(memoryview(data))


def test_what_is_shared_or_cyclic_costs_nothing():
    shared = read(b"]" + sharing(100) + b"a.")
    assert shared[0][0] is shared[0][1]
    assert read(b"r\xff\xff\xff\xff".join([b"N", b"."])) is None  # a memo with one very high number
    cyclic = read(b"]q\x00h\x00a.")
    assert cyclic[0] is cyclic
    namespace = read(b"cargparse\nNamespace\n)\x81q\x00}X\x04\x00\x00\x00selfh\x00sb.")
    assert namespace.state["self"] is namespace


def test_nothing_that_a_file_does_reaches_another_load():
    poison = b"cbuiltins\ndict\n}X\x03\x00\x00\x00getK\x01sb0ccollections\nOrderedDict\n)R}X\x01\x00\x00\x00xK\x01sb."
    known = b"cargparse\nNamespace\nq\x00}X\x04\x00\x00\x00nameX\x01\x00\x00\x00xsb0h\x00."
    before = vars(Placeholder).copy()
    for _ in range(2):
        assert read(poison) == {}
        assert read(known).state == {"name": "x"}
    assert dict(vars(Placeholder)) == dict(before)
    assert read(b"cargparse\nNamespace\n.").state is None
    assert read(b"cbuiltins\ndict\n)R.") == {}


def test_many_threads_read_at_once():
    files = [pickle.dumps([argparse.Namespace(i=i)] * 50) for i in range(8)]
    wrong = []

    def work(i):
        for _ in range(50):
            wrong.extend(item for item in read(files[i]) if item.state != {"i": i})

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_nothing_is_imported():
    before = set(sys.modules)
    result = read_pickle(memoryview(b"]cantigravity\nfly\na" + call("this.s") + b"a."))
    assert result.foreign == ("antigravity.fly", "this.s")
    assert not (set(sys.modules) - before) & {"antigravity", "this"}
