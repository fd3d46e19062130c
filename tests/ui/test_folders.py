"""Only what lies in the folders that the owner has named can be opened by path."""

import os

import pytest

from wavlm_explorer.ui.folders import FOLDERS_VARIABLE, MAX_DEPTH, find_allowed, list_checkpoints


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """An allowed folder with some checkpoints, and a secret beside it."""
    folder = tmp_path / "shared"
    for path in ("shared/a.pt", "shared/deep/b.ckpt", "shared/notes.txt", "shared/.hidden/c.pt", "secret/key.pt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    for name in ("config.json", "model.safetensors"):
        (folder / "hf").mkdir(exist_ok=True)
        (folder / "hf" / name).write_bytes(b"x")
    monkeypatch.setenv(FOLDERS_VARIABLE, str(folder))
    return folder


def test_the_list_names_files_by_ending_and_folders_as_a_whole(shared):
    assert list_checkpoints() == ["a.pt", "deep/b.ckpt", "hf"]


def test_without_an_allowed_folder_there_is_nothing(shared, monkeypatch):
    monkeypatch.delenv(FOLDERS_VARIABLE)
    assert list_checkpoints() == []
    with pytest.raises(ValueError, match="no such file"):
        find_allowed(str(shared / "a.pt"))


def test_what_is_listed_can_be_opened(shared):
    assert [find_allowed(name).exists() for name in list_checkpoints()] == [True] * 3
    assert find_allowed(str(shared / "a.pt")).samefile(shared / "a.pt")


@pytest.mark.parametrize("name", ["../secret/key.pt", "deep/../../secret/key.pt", "../shared/../secret", "", ".", "\0"])
def test_a_way_out_is_refused(shared, name):
    with pytest.raises(ValueError, match="leads out"):
        find_allowed(name)


def test_absent_and_outside_read_the_same(shared):
    messages = []
    for name in ("../secret/key.pt", "../secret/nay.pt"):
        with pytest.raises(ValueError, match="no such") as caught:
            find_allowed(name)
        messages.append(str(caught.value).removeprefix(name))
    assert messages[0] == messages[1]


def test_links_that_lead_out_are_neither_listed_nor_opened(shared):
    secret = shared.parent / "secret"
    (shared / "file.pt").symlink_to(secret / "key.pt")
    (shared / "folder").symlink_to(secret)
    (shared / "loop.pt").symlink_to(shared / "loop.pt")
    assert list_checkpoints() == ["a.pt", "deep/b.ckpt", "hf"]
    for name in ("file.pt", "folder", "folder/key.pt", "loop.pt"):
        with pytest.raises(ValueError, match="leads out"):
            find_allowed(name)


def test_a_config_that_leads_out_is_not_read_along(shared):
    (shared / "hf" / "config.json").unlink()
    (shared / "hf" / "config.json").symlink_to(shared.parent / "secret" / "key.pt")
    for name in ("hf", "hf/model.safetensors"):
        with pytest.raises(ValueError, match="leads out"):
            find_allowed(name)


def test_a_link_within_the_folder_is_fine(shared):
    (shared / "again.pt").symlink_to(shared / "a.pt")
    assert "again.pt" in list_checkpoints()
    assert find_allowed("again.pt").name == "again.pt"


def test_several_folders_are_told_apart(shared, monkeypatch):
    other = shared.parent / "other"
    other.mkdir()
    (other / "a.pt").write_bytes(b"x")
    monkeypatch.setenv(FOLDERS_VARIABLE, os.pathsep.join(map(str, (shared, other, shared.parent / "absent"))))
    assert [name for name in list_checkpoints() if name.endswith("a.pt")] == ["other/a.pt", "shared/a.pt"]
    assert find_allowed("other/a.pt").parent.name == "other"


def test_the_search_has_an_end(shared):
    deep = shared.joinpath(*["x"] * (MAX_DEPTH + 1))
    deep.mkdir(parents=True)
    (deep / "far.pt").write_bytes(b"x")
    (deep.parent / "near.pt").write_bytes(b"x")
    assert [name for name in list_checkpoints() if name.startswith("x/")] == ["x/" * MAX_DEPTH + "near.pt"]
