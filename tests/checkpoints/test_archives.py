"""Files of torch.save: what torch.load gives bit for bit, or refused by name; whatever the bytes, no crash."""

import io
import pickle
import zipfile
from argparse import Namespace
from collections import OrderedDict

import pytest
import torch
from torch._utils import _rebuild_tensor_v2

from wavlm_explorer.checkpoints.errors import CheckpointError
from wavlm_explorer.checkpoints.opening import open_contents

FORMATS = pytest.mark.parametrize("new", [True, False], ids=["archive", "legacy"])


def saved(content, new=True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=new)
    return buffer.getvalue()


def opened(data: bytes):
    return open_contents(io.BytesIO(data), "test.pt")


def rewritten(data: bytes, change, **options) -> bytes:
    """An archive with other records: `change` takes and returns a dictionary name -> bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, content in change(records).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def many_tensors():
    base = torch.randn(40, 30)
    layer = torch.nn.Linear(4, 3)
    kinds = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.uint8]
    return {
        "base": base,
        "part": base[3:9, ::2],
        "transposed": base.t(),
        "shares": [base.view(-1)[5:17], (base[0],)],
        "state": layer.state_dict(),
        "parameter": layer.weight,
        "scalar": torch.tensor(3.5),
        "empty": torch.empty(0, 5),
        "switches": torch.tensor([True, False]),
        "complex": torch.randn(3, dtype=torch.complex64),
        **{str(kind): torch.randn(7).mul(50).to(kind) for kind in kinds},
        "same": base,
    }


def compare(ours, theirs):
    if isinstance(theirs, torch.Tensor):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        assert ours.stride() == theirs.stride() or not ours.numel()
        assert torch.equal(ours, theirs.detach())
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            compare(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs)
        for one, other in zip(ours, theirs, strict=True):
            compare(one, other)
    else:
        assert ours == theirs


@FORMATS
def test_tensors_are_those_of_torch_load(new, tmp_path):
    content = many_tensors() | {"step": 3, "args": {"lr": 0.1, "betas": (0.9, 0.999), "name": "wavlm", "off": None}}
    path = tmp_path / "model.pt"
    path.write_bytes(saved(content, new))
    expected = torch.load(path)
    for contents in (open_contents(path, "model.pt"), opened(path.read_bytes())):
        compare(contents.values, expected)
        assert contents.container == ("torch archive" if new else "legacy torch file")
        assert contents.num_bytes == path.stat().st_size
        assert contents.foreign == ()
        tensors = contents.values
        assert tensors["base"].untyped_storage().data_ptr() == tensors["part"].untyped_storage().data_ptr()
        assert tensors["base"].untyped_storage().nbytes() == 4800


@FORMATS
def test_an_optimiser_and_foreign_objects_lie_beside_the_tensors(new):
    layer = torch.nn.Linear(3, 2)
    optimiser = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    contents = opened(saved({"args": Namespace(a=1), "o": optimiser.state_dict(), "layer": layer}, new))
    compare(contents.values["o"], optimiser.state_dict())
    assert contents.values["args"].state == {"a": 1}
    assert contents.values["layer"].name == "torch.nn.modules.linear.Linear"
    compare(contents.values["layer"].state["_parameters"]["weight"], layer.weight)
    assert set(contents.foreign) == {"argparse.Namespace", "torch.nn.modules.linear.Linear"}


def test_new_and_small_types_are_read():
    content = {"half": torch.randn(5).to(torch.float8_e4m3fn), "short": torch.arange(4).to(torch.uint16)}
    ours = opened(saved(content)).values
    for name, tensor in content.items():
        assert ours[name].dtype == tensor.dtype
        assert torch.equal(ours[name].view(torch.uint8), tensor.view(torch.uint8))


@FORMATS
def test_tensors_with_attributes_are_read_without_these(new):
    parameter, tensor = torch.nn.Parameter(torch.randn(3)), torch.randn(4)
    for item in (parameter, tensor):
        vars(item)["note"] = Namespace(a=1)
    contents = opened(saved({"parameter": parameter, "tensor": tensor}, new))
    compare(contents.values, {"parameter": parameter, "tensor": tensor})
    assert type(contents.values["parameter"]) is type(contents.values["tensor"]) is torch.Tensor
    assert "argparse.Namespace" in contents.foreign


def test_tensors_that_are_not_plain_stay_placeholders():
    content = {"sparse": torch.eye(3).to_sparse(), "conjugated": torch.randn(3, dtype=torch.complex64).conj()}
    values = opened(saved(content)).values
    assert values["sparse"].name == "torch._utils._rebuild_sparse_tensor"
    assert values["conjugated"].name == "torch._utils._rebuild_tensor_v2"


def test_what_is_written_to_a_tensor_does_not_reach_the_file(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(saved({"a": torch.zeros(1000)}))
    before = path.read_bytes()
    open_contents(path, "model.pt").values["a"].fill_(7)
    assert path.read_bytes() == before
    data = io.BytesIO(before)
    contents = open_contents(data, "model.pt")
    contents.values["a"].fill_(7)
    data.close()
    assert data.closed
    assert contents.values["a"].sum() == 7000


class Posing:
    """Pickled as a tensor with whatever offset, size and strides."""

    def __init__(self, offset, size, stride):
        self.arguments = (torch.zeros(10).untyped_storage(), offset, size, stride)

    def __reduce__(self):
        storage, *rest = self.arguments
        typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
        return _rebuild_tensor_v2, (typed, *rest, False, OrderedDict())


@FORMATS
@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (10**9, 10**9), (0, 0)),
        (0, (11,), (0,)),
        (1, (10,), (1,)),
        (0, (2, 5), (6, 1)),
        (-1, (2,), (1,)),
        (9, (2,), (-1,)),
        (0, (-1,), (1,)),
        (0, (2,), (2**70,)),
        (0, (1,) * 17, (1,) * 17),
        (0, (2,), (1, 1)),
        (0, (True,), (1,)),
        (0.0, (1,), (1,)),
        (0, [1], [1]),
    ],
)
def test_a_tensor_that_poses_as_more_than_is_held_is_refused_by_name(offset, size, stride, new):
    data = saved({"model": {"fine": torch.ones(2), "encoder.layer_norm.weight": Posing(offset, size, stride)}}, new)
    with pytest.raises(CheckpointError, match=r"^encoder\.layer_norm\.weight: "):
        opened(data)


def test_an_honest_view_is_let_through():
    data = saved({"a": Posing(1, (3, 3), (3, 1))})
    assert opened(data).values["a"].shape == (3, 3)


def without(name):
    return lambda records: {key: value for key, value in records.items() if not key.endswith(name)}


def plus(name, content=b""):
    return lambda records: records | {name: content}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("data.pkl"), r"with one data\.pkl; found 0"),
        (without("data/0"), r"record data/0 of the archive; found no such record"),
        (plus("other/data.pkl", b"N."), r"with one data\.pkl; found 2"),
        (plus("archive/data/0", b"abc"), r"needs 40 bytes in the record data/0 of the archive; found 3"),
        (plus("archive/byteorder", b"big"), "big-endian machine"),
        (plus("archive/constants.pkl"), r"holds a TorchScript program; save model\.state_dict\(\) instead"),
        (plus("archive/archive_format", b"pt2"), r"a program of torch\.export"),
        (lambda _: {"a.npy": b""}, "arrays of numpy"),
        (lambda _: {"model/config.json": b"{}", "model/model.safetensors": b""}, "Unpack it and open the folder"),
        (lambda _: {"model.weights.h5": b""}, "a Keras model"),
        (lambda _: {"word/document.xml": b""}, r"found 0 in a zip file of 1 entries: word/document\.xml"),
        (lambda _: {}, "cannot be read|found 0"),
    ],
)
def test_other_archives_are_refused_by_name(change, message):
    data = rewritten(saved({"a": torch.ones(10)}), change)
    with pytest.raises(CheckpointError, match=message):
        opened(data)


def test_a_compressed_archive_is_refused():
    data = rewritten(saved({"a": torch.zeros(10**6)}), lambda records: records, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="found a compressed"):
        opened(data)


def test_records_that_overlap_or_lie_outside_are_refused():
    data = saved({"a": torch.arange(10.0), "b": torch.zeros(5000)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first, second = (archive.getinfo(f"archive/data/{key}") for key in (0, 1))
        directory = archive.start_dir
    place = data.index(b"archive/data/1", directory) - 4  # of the offset in the directory
    for offset, message in ((first.header_offset, "overlap"), (first.header_offset + 1, "overlap|damaged")):
        changed = data[:place] + offset.to_bytes(4, "little") + data[place + 4 :]
        with pytest.raises(CheckpointError, match=message):
            opened(changed)
    size = (second.file_size * 100).to_bytes(4, "little") * 2
    changed = data[: place - 22] + size + data[place - 14 :]
    with pytest.raises(CheckpointError, match=r"beyond its end|damaged"):
        opened(changed)


def test_an_archive_with_a_giant_directory_is_refused():
    data = rewritten(saved({}), lambda records: records | {f"archive/{i:0>200}": b"" for i in range(70_000)})
    with pytest.raises(CheckpointError, match="directory is too large"):
        opened(data)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.98])
def test_a_file_cut_short_says_so(share):
    content = {"a": torch.ones(1000), "b": torch.ones(1000)}
    archive, legacy = saved(content), saved(content, new=False)
    with pytest.raises(CheckpointError, match="cut short"):
        opened(archive[: int(len(archive) * share)])
    if share > 0.1:
        with pytest.raises(CheckpointError, match=rf"its tensors need {len(legacy):,} bytes, it has"):
            opened(legacy[: int(len(legacy) * share)])


def test_odd_legacy_files_are_refused():
    data = saved({"a": torch.ones(10)}, new=False)
    for old, new in ((b"M\xe9\x03.", b"M\xe8\x03."), (b"little_endianq\x02\x88", b"little_endianq\x02\x89")):
        assert data.count(old) == 1
        with pytest.raises(CheckpointError, match="Expected version 1001"):
            opened(data.replace(old, new))
    count = data.rindex((10).to_bytes(8, "little"))
    with pytest.raises(CheckpointError, match="10 numbers was announced; found 11"):
        opened(data[:count] + (11).to_bytes(8, "little") + data[count + 8 :])


@pytest.mark.parametrize(
    "identity",
    [
        ("storage",),
        ("tensor", torch.FloatStorage, "0", "cpu", 3),
        ("storage", 3, "0", "cpu", 3),
        ("storage", Namespace, "0", "cpu", 3),
        ("storage", torch.FloatStorage, ("0",), "cpu", 3),
        ("storage", torch.FloatStorage, "0" * 1000, "cpu", 3),
        ("storage", torch.FloatStorage, "0", "cpu", -3),
        ("storage", torch.FloatStorage, "0", "cpu", 2**80),
        (),
        7,
    ],
)
def test_odd_references_are_refused(identity):
    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            return identity if obj is Posing else None

    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump({"a": Posing})
    data = rewritten(saved({}), lambda records: records | {"archive/data.pkl": buffer.getvalue()})
    with pytest.raises(CheckpointError, match=r"refers to something outside|holds a tensor of (no type|argparse)"):
        opened(data)
