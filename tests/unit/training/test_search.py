"""A search trains with other settings, stops bad trainings, resumes, and prints a command that can be run."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_gru.errors import OptionsError
from sentiment_gru.training import search as module
from sentiment_gru.training.options import TrainingOptions, parse_options
from sentiment_gru.training.search import SearchResult, describe_search, search, searched, write_command
from tests.conftest import made_up_texts, tiny_options, write_dataset

TINY = {"batch_size": 16, "embedding_dropout": 0.1, "output_dropout": 0.1, "learning_rate": 1e-2}


@pytest.fixture
def options(tmp_path: Path) -> TrainingOptions:
    dataset = write_dataset(tmp_path / "tiny", train=made_up_texts()[::4])
    return tiny_options(dataset, tmp_path / "out", search=2, epochs=2, output_dropout=0.4)


def test_a_search_starts_with_the_usual_settings_and_resumes(options: TrainingOptions) -> None:
    result = search(options)
    assert {number: settings for number, _, settings, _ in result.trials}[0] == {
        "word_dropout": 0.0,
        "output_dropout": 0.4,
    }
    assert [path.name for path in Path(options.output_dir).iterdir()] == [module.STUDY_FILE]
    again = search(options)
    assert again == result
    more = search(replace(options, search=3))
    assert len(more.trials) == 3
    assert set(map(str, result.trials)) < set(map(str, more.trials))
    assert len({trial[2]["word_dropout"] for trial in more.trials}) == 3  # a resumed sampler does not repeat itself
    with pytest.raises(OptionsError, match="--epochs was 2 and is 3; name a new --output-dir"):
        search(replace(options, epochs=3))


def test_the_same_seed_draws_the_same_settings_and_gives_the_same_scores(options: TrainingOptions) -> None:
    other = replace(options, output_dir=f"{options.output_dir}-again")
    assert search(other) == search(options)


def test_a_killed_trial_is_run_again(options: TrainingOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    run, drawn = module.run_trial, []

    def die(task: module.Task, trial: object, folder: Path) -> float:
        drawn.append(module.draw(trial, task.options))
        raise SystemExit  # Optuna does not record the end of the trial

    monkeypatch.setattr(module, "run_trial", die)
    with pytest.raises(SystemExit):
        search(options)
    monkeypatch.setattr(module, "run_trial", run)
    trials = search(options).trials
    assert len(trials) == 2
    assert drawn[0] in [settings for _, _, settings, _ in trials]


def test_ctrl_c_ends_a_search_with_the_table_of_what_is_finished(
    options: TrainingOptions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> float:
        raise KeyboardInterrupt

    run = module.run_trial
    monkeypatch.setattr(module, "run_trial", interrupt)
    result = search(options)
    assert result == SearchResult([], interrupted=True)
    assert describe_search(options, result) == "No trial was finished; the same command continues."
    assert "Traceback" not in capsys.readouterr().err
    monkeypatch.setattr(module, "run_trial", run)
    (trial,) = search(replace(options, search=1)).trials
    assert trial[2] == {"word_dropout": 0.0, "output_dropout": 0.4}  # the usual settings go first again


def test_a_training_below_the_median_is_stopped() -> None:
    import optuna

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(2, module.COMPARED_EPOCH))
    for score in (0.8, 0.9):
        trial = study.ask()
        for step in (1, 2):
            trial.report(score, step)
        study.tell(trial, score)
    stop = module.StopBelowMedian(study.ask())
    stop.on_evaluate(None, None, None, metrics={"eval_score": 0.2})
    with pytest.raises(optuna.TrialPruned):
        stop.on_evaluate(None, None, None, metrics={"eval_score": 0.3})
    good = module.StopBelowMedian(study.ask())
    for score in (0.95, 0.1):
        good.on_evaluate(None, None, None, metrics={"eval_score": score})
    assert study.trials[-1].intermediate_values == {1: 0.95, 2: 0.95}  # the best so far counts


def test_settings_of_the_user_are_not_drawn(tmp_path: Path) -> None:
    plain = TrainingOptions(output_dir="out", dataset=["a.csv"])
    assert searched(plain) == list(module.SPACE)
    assert searched(replace(plain, learning_rate=1e-3, adversarial=0.5)) == [
        "batch_size",
        "embedding_dropout",
        "output_dropout",
    ]


def test_the_table_shows_the_best_first_and_a_command_that_gives_its_options(tmp_path: Path) -> None:
    options = TrainingOptions(
        output_dir=str(tmp_path / "my out"), dataset=["a b.csv", "c.csv"], baseline=False, search=3, smoke=True
    )
    best = {"learning_rate": 0.00123456789, "batch_size": 64, "word_dropout": 0.125}
    result = SearchResult([(2, 0.91, best, False), (0, 0.5, best, True)], interrupted=True)
    lines = describe_search(options, result).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["2", "91.0%"], ["0", "50.0%*"]]
    assert lines[3] == "* stopped below the median"
    assert "Stopped after 2 of 3 trials; the same command continues." in lines
    words = shlex.split(lines[-1])
    assert words[:2] == ["python", "train.py"]
    expected = replace(
        options, search=0, output_dir=str(tmp_path / "my out" / "best"), **(best | {"learning_rate": 0.00123457})
    )
    assert parse_options(None, words[2:]) == expected


def test_a_command_names_nothing_that_is_usual() -> None:
    assert write_command(TrainingOptions(output_dir="out", dataset=["a.csv"])) == (
        "python train.py --output-dir out --dataset a.csv"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"search": -1}, "--search is -1; it must be 0"),
        ({"search": 2, "seeds": [1, 2]}, "--search does not go with --seeds; add it to the best command"),
        ({"search": 2, "evaluate_test": True}, "--search does not go with --evaluate-test"),
    ],
)
def test_contradicting_options_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        tiny_options(tmp_path, tmp_path / "out", **changes)


def test_other_files_in_the_output_folder_are_refused(options: TrainingOptions) -> None:
    Path(options.output_dir).mkdir()
    Path(options.output_dir, "thesis.txt").touch()
    with pytest.raises(OptionsError, match=r"holds other files, such as thesis\.txt"):
        search(options)
