"""Which Ray cluster a folder is scored on."""

from typing import NoReturn

import pytest

from sentiment_gru.errors import FileError
from sentiment_gru.files.folders import FolderJob

ray = pytest.importorskip("ray")


@pytest.mark.parametrize(
    ("variable", "given", "expected"),
    [(None, None, "local"), ("", None, "local"), ("head:6379", None, "head:6379"), ("head:6379", "auto", "auto")],
)
def test_the_cluster_is_the_named_one_or_a_new_one(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, given: str | None, expected: str
) -> None:
    from sentiment_gru.files.ray_engine import score_on_ray

    def refuse(address: str, **settings: object) -> NoReturn:
        raise ConnectionError(f"no answer of {address}")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if variable is not None:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    with pytest.raises(FileError, match=f"^the Ray cluster {expected} cannot be reached: no answer of {expected}$"):
        list(score_on_ray(FolderJob("in", "out", None, "text"), [], address=given))
