"""Whatever is damaged in a file of torch.save: it is read or refused, within a bound on memory."""

import io
import random
import resource
import subprocess
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wavlm_explorer.checkpoints.errors import CheckpointError
from wavlm_explorer.checkpoints.opening import open_contents


def saved(content, new) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


def opened(data: bytes):
    return open_contents(io.BytesIO(data), "test.pt")


BASE = torch.randn(40, 30)
CONTENT = {
    "model": {"whole": BASE, "part": BASE[3:9, ::2], "half": torch.randn(9).half(), "long": torch.arange(5)},
    "layer": torch.nn.Linear(4, 3).state_dict(),
    "args": Namespace(a=[1, (2, {"b": 3})], name="wavlm"),
}
BASES = [saved(CONTENT, new) for new in (True, False)]


def mutated(data: bytes, draw) -> bytes:
    """Damage some bytes; `draw(n)` gives a number below n."""
    content = bytearray(data)
    for _ in range(1 + draw(6)):
        place, kind = draw(len(content)), draw(4)
        if kind == 0:
            content[place] = draw(256)
        elif kind == 1:
            del content[place : place + 1 + draw(9)]
        elif kind == 2:
            content[place:place] = bytes(draw(256) for _ in range(1 + draw(9)))
        else:
            start = draw(len(content))
            content[place : place + 8] = content[start : start + 8]
    return bytes(content)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(BASES), st.data())
def test_damaged_files_are_read_or_refused(base, data):
    changed = mutated(base, lambda n: data.draw(st.integers(0, n - 1)))
    with suppress(CheckpointError):
        repr(opened(changed).values)


def damage_many(count: int, memory: int) -> None:
    """Read many damaged files within a bound on memory; damage their pickles most of all."""
    generator = random.Random(3)
    refused = 0
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for _ in range(count):
        base = generator.choice(BASES)
        pickled = base.index(b"\x80\x02}q\x00(X\x05\x00\x00\x00model")
        inner = mutated(base[pickled : pickled + 1000], generator.randrange)
        try:
            opened(base[:pickled] + inner + base[pickled + 1000 :])
        except CheckpointError:
            refused += 1
    assert refused > count // 3
    print(f"{refused} of {count} refused")


@pytest.mark.skipif(sys.platform != "linux", reason="limits on memory are Linux's")
def test_thousands_of_damaged_pickles_stay_within_their_memory():
    here = Path(__file__).resolve()
    path = [str(here.parent), str(here.parents[1]), str(here.parents[2])]
    imports = f"import sys, psutil\nsys.path[:0] = {path}\nimport test_damage\n"
    script = imports + "test_damage.damage_many(3000, psutil.Process().memory_info().vms + 2**29)"
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-2000:]
    assert "refused" in result.stdout
