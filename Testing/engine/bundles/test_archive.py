"""Zip files of strangers: nothing of them lands where it should not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.search import user_folder
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from tiny_models import autoencoder_manifest, refusal, write_model, zipped


@pytest.mark.parametrize(
    "name",
    [
        "../evil.md",
        "tiny/../../evil.md",
        "/etc/evil.md",
        "C:/evil.md",
        "docs\\..\\..\\evil.md",
        "tiny/models/model.pt",
        "tiny/run.py",
        "tiny/models/weights.pkl",
        "tiny/models/.hidden.safetensors",
        "evil.sh",
    ],
)
def test_a_zip_file_with_a_hostile_name_writes_nothing(
    model: Path, tmp_path: Path, name: str
) -> None:
    archive = zipped(model, tmp_path / "evil.zip", "tiny/")
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo("x")
        info.filename = name
        file.writestr(info, "x")
    before = {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "home")}
    message = refusal(add_bundle, archive)
    assert str(archive) in message
    assert "zip file" in message
    assert list(user_folder().iterdir()) == []
    assert {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "home")} == before


def test_a_link_in_a_zip_file_is_refused(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "link.zip")
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo("docs/link.md")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    assert "is a link" in refusal(add_bundle, archive)


def test_a_zip_bomb_is_refused_by_its_declared_size(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("docs/bomb.txt", bytes(80 << 20))
    assert archive.stat().st_size < 1 << 20
    assert "docs/bomb.txt' unpacks from" in refusal(add_bundle, archive)


def test_a_name_twice_or_too_many_entries_are_refused(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "twice.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("docs/readme.md", "another by case only")
    assert "twice" in refusal(add_bundle, archive)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as file:
        for number in range(1100):
            file.writestr(f"docs/{number}.md", "")
    assert "1100 entries" in refusal(add_bundle, tmp_path / "many.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"plain text"])
def test_what_is_no_zip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert "zip file is damaged" in refusal(add_bundle, tmp_path / "a.zip")


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_zip_file_with_any_byte_changed_installs_the_same_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    good = write_model(folder / "tiny", autoencoder_manifest())
    content = bytearray(zipped(good, folder / "m.zip").read_bytes())
    content[position % len(content)] = value
    (folder / "m.zip").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("USERPROFILE", str(folder / "home"))
        try:
            assert add_bundle(folder / "m.zip").sha256 == verify_bundle(good).sha256
        except PETAnomalyError:
            assert list(user_folder().iterdir()) == []
