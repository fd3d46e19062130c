"""Checkpoints by name, through the real huggingface_hub, from a small server that speaks what it asks."""

import hashlib
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save

from wavlm_explorer.checkpoints.errors import CheckpointError
from wavlm_explorer.checkpoints.hub import NAMES, fetch
from wavlm_explorer.checkpoints.opening import open_contents

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = save({"weight": torch.arange(6_000_000, dtype=torch.float32)})
SHARDS = {f"model-0000{i}-of-00002.safetensors": save({f"w{i}": torch.full((3,), float(i))}) for i in (1, 2)}
INDEX = {"weight_map": {"w1": "model-00001-of-00002.safetensors", "w2": "model-00002-of-00002.safetensors"}}
CONFIG = b'{"model_type": "wavlm"}'
REPOSITORIES = {
    "microsoft/wavlm-base": {
        "config.json": CONFIG,
        "preprocessor_config.json": b'{"do_normalize": false}',
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"not needed beside safetensors",
        "modeling.py": b"raise SystemExit('code from the Hub was run')",
        "README.md": b"# a model",
    },
    "some/shards": {"config.json": CONFIG, "model.safetensors.index.json": json.dumps(INDEX).encode(), **SHARDS},
    "some/readme": {"README.md": b"# nothing yet"},
}
# Fetches each name in turn; prints what came of it, as JSON.
FETCH = """
import json, sys
import wavlm_explorer.checkpoints
assert "huggingface_hub" not in sys.modules, "it takes long to import"
from wavlm_explorer.checkpoints.hub import fetch
stop_at = float(sys.argv[1])
class Stopped(Exception):
    pass
for name in sys.argv[2:]:
    shares = []
    def progress(share, text):
        shares.append((share, text))
        if 0 < share < 1 and share >= stop_at:
            raise Stopped
    try:
        print(json.dumps({"folder": str(fetch(name, progress)), "shares": shares}))
    except Exception as error:
        print(json.dumps({"error": type(error).__name__, "text": str(error), "shares": shares}))
"""


class Server(ThreadingHTTPServer):
    """A server that remembers what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Hub)
        self.requests = []
        self.break_at = None  # byte of the weights after which the connection ends


class Hub(BaseHTTPRequestHandler):
    """What huggingface_hub asks for: the files of a repository, and each file, whole or from some byte on."""

    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        self.server.requests.append((self.command, self.path, self.headers.get("Range")))
        path = self.path.partition("?")[0].strip("/").split("/")
        if path[:2] == ["api", "models"]:
            return self.describe("/".join(path[2:4]), path[5])
        files = REPOSITORIES.get("/".join(path[:2]), {})
        content = files.get("/".join(path[4:]))
        if content is None:
            return self.send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self.send(206 if start else 200, content[start:], headers, with_body)

    def describe(self, repository, revision):
        if repository == "some/gated":
            return self.send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        if repository not in REPOSITORIES:
            return self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", COMMIT, "refs%2Fpr%2F1"):
            return self.send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        files = [{"rfilename": name, "size": len(body)} for name, body in REPOSITORIES[repository].items()]
        return self.send(200, json.dumps({"id": repository, "sha": COMMIT, "siblings": files}).encode(), {})

    def send(self, status, body, headers, with_body=True):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            broken = self.server.break_at if self.command == "GET" and len(body) == len(WEIGHTS) else None
            try:
                self.wfile.write(body[:broken])
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            if broken:
                self.close_connection = True

    def log_message(self, format, *args):
        pass


@pytest.fixture
def hub():
    server = Server()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(cache, *names, endpoint="http://127.0.0.1:9", stop_at=2.0, **environment):
    """Fetch names in a fresh interpreter: huggingface_hub reads its settings when it is imported."""
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache), "OMP_NUM_THREADS": "1", **environment}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    command = [sys.executable, "-c", FETCH, str(stop_at), *names]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=inherited | settings, timeout=300)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def address(hub):
    return f"http://127.0.0.1:{hub.server_port}"


def test_a_checkpoint_is_fetched_once_with_progress_and_then_without_network(hub, tmp_path):
    first, again = ask(tmp_path, "base", "base", endpoint=address(hub))
    assert first["folder"] == again["folder"]
    folder = Path(first["folder"])
    assert {path.name for path in folder.iterdir()} == {"config.json", "preprocessor_config.json", "model.safetensors"}
    contents = open_contents(folder, "base")
    assert contents.config == {"model_type": "wavlm"}
    assert contents.preprocessor == {"do_normalize": False}
    torch.testing.assert_close(contents.values["weight"], torch.arange(6_000_000, dtype=torch.float32), rtol=0, atol=0)
    assert [path for command, path, _ in hub.requests if command == "GET" and path.endswith("model.safetensors")] == [
        "/microsoft/wavlm-base/resolve/main/model.safetensors"
    ]
    shares = [share for share, _ in first["shares"]]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert len({share for share in shares if 0.001 < share < 1}) >= 1
    assert "model.safetensors of microsoft/wavlm-base, 24.0 MB" in {text for _, text in first["shares"]}

    [unreachable] = ask(tmp_path, "base")
    assert unreachable["folder"] == first["folder"]
    hub.requests.clear()
    [offline] = ask(tmp_path, "base", endpoint=address(hub), HF_HUB_OFFLINE="1")
    assert offline["folder"] == first["folder"]
    assert not hub.requests


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub, tmp_path):
    hub.break_at = 15_000_000  # after the first piece of 10 MiB
    [whole] = ask(tmp_path, "base", endpoint=address(hub))
    assert (Path(whole["folder"]) / "model.safetensors").read_bytes() == WEIGHTS
    ranges = [part for command, path, part in hub.requests if command == "GET" and path.endswith("model.safetensors")]
    assert len(ranges) == 2
    assert ranges[0] is None
    assert int(ranges[1].removeprefix("bytes=").partition("-")[0]) > 0


def test_what_progress_raises_stops_the_download(hub, tmp_path):
    [stopped] = ask(tmp_path, "base", endpoint=address(hub), stop_at=0.5)
    assert stopped["error"] == "Stopped"
    assert not list(tmp_path.rglob("model.safetensors"))


def test_all_shards_come_and_a_revision_can_be_named(hub, tmp_path):
    [found] = ask(tmp_path, "some/shards@refs/pr/1", endpoint=address(hub))
    contents = open_contents(Path(found["folder"]), "shards")
    assert {name: tensor.tolist() for name, tensor in contents.values.items()} == {"w1": [1.0] * 3, "w2": [2.0] * 3}


def test_what_cannot_be_fetched_says_why(hub, tmp_path):
    names = ("some/nothing", "some/gated", "some/readme", "microsoft/wavlm-base@v9")
    nothing, gated, readme, revision = ask(tmp_path, *names, endpoint=address(hub))
    assert {answer["error"] for answer in (nothing, gated, readme, revision)} == {"CheckpointError"}
    assert f"There is no {address(hub)}/some/nothing, or it is private" in nothing["text"]
    assert "HF_TOKEN" in nothing["text"]
    assert f"agree to terms: do so at {address(hub)}/some/gated" in gated["text"]
    assert "has no model.safetensors or pytorch_model.bin. It has: README.md" in readme["text"]
    assert "has no revision 'v9'" in revision["text"]


def test_without_network_the_message_says_what_to_download_by_hand(tmp_path):
    for offline in ("0", "1"):
        [answer] = ask(tmp_path, "large", HF_HUB_OFFLINE=offline)
        assert answer["error"] == "ConnectionError"
        assert "download config.json, preprocessor_config.json and model.safetensors" in answer["text"]
        assert "http://127.0.0.1:9/microsoft/wavlm-large/tree/main" in answer["text"]


def test_a_cache_that_another_program_filled_is_used(tmp_path):
    repository = tmp_path / "hub" / "models--microsoft--wavlm-large"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (snapshot, repository / "refs", repository / "blobs"):
        folder.mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    (repository / "blobs" / "abc").write_bytes(b"weights")
    (snapshot / "pytorch_model.bin").symlink_to(Path("../../blobs/abc"))
    (snapshot / "config.json").write_bytes(CONFIG)
    [answer] = ask(tmp_path, "large", HF_HUB_OFFLINE="1")
    assert answer["folder"] == str(snapshot)


@pytest.mark.parametrize("name", ["huge", "a/b/c", "../secret", "a/b@../../x", "https://host/a", "a/b c", "a--b/c", ""])
def test_a_name_of_no_repository_is_refused_before_anything_is_asked(name):
    with pytest.raises(CheckpointError, match=f"Expected {', '.join(NAMES)}, or owner/name"):
        fetch(name)
