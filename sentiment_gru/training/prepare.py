"""The datasets of one training, read as its options say."""

from dataclasses import replace

from ..data.columns import Reading
from ..data.corpora import read_corpora
from ..data.splits import Corpus, check_corpora, cut_train, remove_leaks, subsample
from ..errors import DatasetError
from ..labels import parse_label_map
from .options import TrainingOptions

SMOKE_DEV = 100  # dev texts of a smoke run, which proves that a training works, not how well


def prepare_corpora(options: TrainingOptions) -> list[Corpus]:
    """Read the datasets of a training, remove leaks, and cut them to the sizes asked for.

    Raises:
        DatasetError: a dataset cannot be used; the message says what is there and what to type.
    """
    reading = Reading(
        options.text_column,
        options.label_column,
        options.train_split,
        options.validation_split,
        options.test_split,
        parse_label_map(options.label_map),
    )
    corpora = remove_leaks(read_corpora(options.dataset, reading))
    check_corpora(corpora)
    if options.evaluate_test and not any(corpus.reported for corpus in corpora):
        raise DatasetError("--evaluate-test: there is no labelled test or validation split to report on")
    if options.max_train_samples:
        corpora = [cut_train(corpus, options.max_train_samples, options.seed) for corpus in corpora]
    if options.smoke:
        corpora = [
            replace(
                corpus,
                dev=subsample(corpus.dev, SMOKE_DEV, options.seed),
                rule=corpus.rule | {"dev": f"at most {SMOKE_DEV} texts of the {corpus.rule['dev']}"},
            )
            for corpus in corpora
        ]
    return corpora
