"""The quota of uploads."""

import os
import time
from pathlib import Path

from sentiment_gru.web.server import UploadQuota


def write(folder: Path, name: str, age: float, size: int = 100) -> Path:
    path = folder / name / "file.csv"
    path.parent.mkdir()
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_the_oldest_unused_files_make_room(tmp_path: Path) -> None:
    files = [write(tmp_path, str(age), age) for age in (5000, 4000, 3000, 10)]
    assert UploadQuota(str(tmp_path), quota=250).make_room()
    assert [file.exists() for file in files] == [False, False, True, True]


def test_a_file_that_may_be_in_use_is_never_removed(tmp_path: Path) -> None:
    files = [write(tmp_path, str(age), age) for age in (5000, 100, 10)]
    assert not UploadQuota(str(tmp_path), quota=50).make_room()
    assert [file.exists() for file in files] == [False, True, True]


def test_nothing_is_removed_below_the_quota_nor_from_a_missing_folder(tmp_path: Path) -> None:
    file = write(tmp_path, "old", 5000)
    assert UploadQuota(str(tmp_path), quota=100).make_room()
    assert file.exists()
    assert UploadQuota(str(tmp_path / "missing"), quota=0).make_room()
