"""The parts of `make bench`: texts of the length they claim, the right amount of work, a table of the figures."""

import pytest

from benchmarks.serving import ratios
from benchmarks.speed.rivals import matrix_products, operations
from benchmarks.speed.summary import NAMES, speed_block
from benchmarks.speed.texts import make_texts
from benchmarks.speed.throughput import combine
from sentiment_gru import SentimentGRUConfig
from sentiment_gru.checkpoint import PRETRAINED, load_tokenizer


def made_up() -> dict:
    times = {name: {"p50": 1234.0 + i, "p95": 2345.0 + i} for i, name in enumerate(NAMES)}
    factors = {name: 3.5 + i for i, name in enumerate(NAMES) if name != "gru"}
    return {
        "date": "2026-01-02",
        "machine": "an abacus",
        "load": [0.1, 0.2],
        "one_text": {tokens: {"milliseconds": times, "times_the_gru": factors} for tokens in ("20", "250", "1000")},
        "batch": {
            "texts": 64,
            "tokens": 250,
            "texts_per_second": {name: 321.0 + i for i, name in enumerate(NAMES)},
            "times_the_gru": factors,
            "share_of_the_bound": 0.41,
            "share_of_the_bound_without_tokenizing": 0.52,
        },
        "throughput": {
            "reviews": {"ONNX Runtime": [300, 500], "NumPy": [500, 900]},
            "rows": {"ONNX Runtime": [1000, 1900], "NumPy": [2000, 3900]},
            "tokens": 250,
            "words_per_row": 50,
        },
        "start": {
            "seconds_to_first_200": 3.0,
            "empty_seconds_to_first_200": 2.5,
            "seconds_to_first_verdict": 4.0,
            "megabytes_after_first_verdict": 500.0,
            "megabytes_after_classifications": 510.0,
            "classifications": 50,
        },
        "first_page_seconds": {"app": 1.25, "empty": 0.75},
    }


@pytest.mark.parametrize("words", [1, 20, 250])
def test_made_texts_have_one_token_a_word(words: int) -> None:
    texts = make_texts(30, words)
    assert texts == make_texts(30, words) != make_texts(30, words, seed=1)
    ids = load_tokenizer(PRETRAINED)(texts)["input_ids"]
    assert {len(row) for row in ids} == {words}


def test_the_work_of_a_text_is_that_of_its_matrix_products() -> None:
    config = SentimentGRUConfig(embedding_size=128, hidden_size=192)
    assert operations(config, 250) == 250 * 2 * 2 * (128 * 576 + 192 * 576)
    matrix_products(config, 2, 5)()
    with pytest.raises(ValueError, match="one layer"):
        matrix_products(SentimentGRUConfig(num_layers=2), 2, 5)


def test_figures_of_each_number_of_threads_stand_side_by_side() -> None:
    one, two = ({kind: {"ONNX Runtime": n, "NumPy": 2 * n} for kind in ("reviews", "rows")} for n in (3, 5))
    found = combine({1: one, 2: two})
    assert found["threads"] == [1, 2]
    assert found["reviews"] == found["rows"] == {"ONNX Runtime": [3, 5], "NumPy": [6, 10]}


def test_ratios_are_taken_turn_by_turn() -> None:
    assert ratios({"gru": [1.0, 10.0, 2.0], "other": [3.0, 30.0, 6.0]}) == {"other": 3.0}


def test_the_table_holds_every_rival_and_figure() -> None:
    block = speed_block(made_up())
    header, line, *rows = block.splitlines()[: 2 + len(NAMES)]
    assert {text.count("|") for text in (header, line, *rows)} == {header.count("|")}
    for i, (row, title) in enumerate(zip(rows, NAMES.values(), strict=True)):
        assert row.startswith(f"| {title} | {1234 + i:,}, {2345 + i:,} ms |")
        assert row.endswith(f" | {321 + i} | {3.5 + i if i else 1} |")
    for figure in ("an abacus", "2026-01-02", "41%", "52%", "NumPy 500 and 900", "1,900", "2.5 s", "510 MB", "0.75 s"):
        assert figure in block
