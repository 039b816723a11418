"""Made-up result files, and the measurements read from them."""

import re
from pathlib import Path

import pytest

from sentiment_gru.web.inside.measurements import Measured, read_measured
from tests.made_up_results import write_results


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="session")
def measured(folder: Path) -> Measured:
    return read_measured(folder)


def extract_numbers(html: str) -> set[str]:
    """Return the numbers of a text, except those of names such as "Cho et al. 2014"."""
    text = re.sub(r"<[^>]*>|et al\. \d{4}", " ", html)
    return set(re.findall(r"−?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−-]?\d+)?%?", text))
