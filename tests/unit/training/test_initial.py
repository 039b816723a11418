"""A training starts from the shipped checkpoint where that fits, and its length follows the number of texts."""

import re

import pytest

from sentiment_gru.training.initial import SCHEDULES, choose_start, datasets_read, fill_schedule, unknown_share
from sentiment_gru.training.options import SHIPPED, TrainingOptions

ENGLISH = ["Where is my new card?", "I want to change my address, please."]
GERMAN = ["Wo bleibt meine neue Karte?", "Ich möchte bitte meine Anschrift ändern."]


def options(**changes: object) -> TrainingOptions:
    return TrainingOptions("out", ["questions"], **changes)


@pytest.mark.parametrize(
    ("changes", "texts", "datasets", "init_from", "reason"),
    [
        ({}, ENGLISH, ["questions"], SHIPPED, "which knows 100% of the tokens; --from-scratch starts without it"),
        ({}, GERMAN, ["questions"], None, "does not know [5-9].% of the tokens"),
        ({}, ["🐙🐙", "🐙"], ["questions"], None, "does not know 100% of the tokens"),
        ({}, [" "], ["questions"], None, "does not know 100% of the tokens"),
        ({}, ENGLISH, ["questions", "sst2"], None, "has read sst2"),
        ({"from_scratch": True}, ENGLISH, ["questions"], None, "--from-scratch"),
        ({"hidden_size": 8, "cell": "lstm"}, ENGLISH, ["questions"], None, "because of --cell, --hidden-size"),
        ({"init_from": "mine"}, GERMAN, ["sst2"], "mine", "mine, as --init-from says"),
        ({"init_from": SHIPPED}, GERMAN, ["sst2"], SHIPPED, "pretrained, as --init-from says"),
    ],
)
def test_the_start_is_chosen_by_language_architecture_and_datasets(
    changes: dict[str, object], texts: list[str], datasets: list[str], init_from: str | None, reason: str
) -> None:
    chosen, why = choose_start(options(**changes), texts, datasets)
    assert chosen.init_from == init_from
    assert re.search(reason, why)


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("cardiffnlp/tweet_eval:sentiment", "tweet_eval"),
        ("data/tweet_sentiment/", "tweet_sentiment"),
        ("cardiffnlp/tweet_eval:irony", None),
        ("questions", None),
    ],
)
def test_a_dataset_that_was_read_under_another_name_is_recognized(source: str, read: str | None) -> None:
    assert read in [*datasets_read(SHIPPED, [source]), None]
    assert len(datasets_read(SHIPPED, [source])) == len(datasets_read(SHIPPED)) + (read is not None)
    assert datasets_read(None, [source]) == []


def test_unknown_tokens_are_counted_in_texts_from_the_whole_list() -> None:
    texts = ["zzyzx"] * 10_000 + ["good"] * 10_000
    assert unknown_share(texts) == pytest.approx(0.5, abs=0.001)


def test_what_the_user_did_not_set_follows_the_number_of_texts() -> None:
    small, large = SCHEDULES
    assert fill_schedule(options(), 2_000).epochs == small.epochs > large.epochs == fill_schedule(options()).epochs
    given = fill_schedule(options(epochs=4.0, learning_rate=1e-4), 2_000)
    assert (given.epochs, given.learning_rate, given.batch_size) == (4.0, 1e-4, small.batch_size)
