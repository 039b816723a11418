"""The recipe of the shipped checkpoint: stages from the datasets to the checkpoint, each with its figures.

teacher-sentences  a transformer encoder, fine-tuned on the short texts and on made sentences
teacher-reviews    a linear teacher (NB-SVM) of reviews, those of the training set judged out of fold
vocabulary         the words of the initial checkpoint, further words of the short texts, and pieces of other words
label-reviews      soft labels of training and unlabelled reviews, by the linear teacher and a GRU of reviews together
label-sentences-N  soft labels of short texts, of recombined ones, and of sentences of unlabelled reviews, in parts
student-SEED       the GRU of reviews, trained further on all soft labels and with swapped twins
refine-SEED        that student, trained further on a sample of the texts at a lower rate
choose             the student that is best on dev
calibrate          bias of the neutral label, temperature and uncertain band, fitted on dev
release            the reported splits, read once, and the checkpoint copied to its folder

The GRU of reviews is an initial checkpoint that was trained on reviews. Without one, three stages make it:

vocabulary         the most frequent words of all training texts and of the unlabelled reviews, and pieces of others
pretrain           embeddings and cells that have learned to guess neighboring words
student-reviews    a GRU that goes on from `pretrain` with the linear teacher's labels of reviews

A stage is finished when the work folder holds its figures; finished stages are skipped. The options that a stage
depends on stand beside its figures, so that other options of a later stage leave it finished. A training that was
stopped resumes from its newest checkpoint. Stages that do not depend on one another may run side by side.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import OptionsError, SentimentError
from .corpora import Sources

PARTS = 6  # of the texts that the encoder judges; a stopped stage loses one of them at most
OPTIONS, FIGURES = "options.json", "figures.json"


@dataclass(frozen=True)
class Amounts:
    """The amounts of data and training; larger amounts take longer and give a better model."""

    vocabulary: int = 34_200  # words and pieces
    pieces: int = 2_000  # of words that the vocabulary lacks; 0 to leave such words unknown
    embedding_size: int = 128  # this and the next have the value of the initial checkpoint, if there is one
    hidden_size: int = 192
    pretrain_reviews: int = 75_000  # reviews read while guessing words
    teacher_texts: int = 36_000  # most texts of one corpus for the encoder
    teacher_epochs: float = 1.0
    teacher_tokens: int = 64  # read of a short text
    judged: int = 100_000  # most texts of one corpus judged by the encoder; the others keep their own label
    sentences: int = 200_000  # of unlabelled reviews
    made: int = 90_000  # sentences of the grammar
    recombined: int = 50_000  # short texts made of parts of others
    student_reviews: int = 75_000
    review_epochs: float = 2.5  # passes over the reviews before the sentences join them
    student_epochs: float = 1.0
    student_rate: float = 5e-4  # peak of the student's learning rate
    misspelled: int = 60_000  # short texts with a misspelled word
    emoji: int = 15_000  # made sentences with emoji
    refining_texts: int = 25_000  # most texts of one corpus or kind for the last training
    students: int = 1  # seeds, of which the best on dev is released
    batch_size: int = 64
    adversarial: float = 0.3
    pairing: float = 3.0


@dataclass(frozen=True)
class Setting:
    """The settings of one run of the recipe.

    Attributes:
        sources: the corpora.
        teacher: Hub id or folder of the encoder.
        work: folder of the stages' results.
        output: folder of the checkpoint.
        start: Hub id or folder of the initial checkpoint, a GRU of reviews; None to train it.
        amounts: amounts of data and training.
        held_out: CSV or text files whose runs of words no made sentence may share.
    """

    sources: Sources
    teacher: str
    work: Path
    output: Path
    start: str | None
    amounts: Amounts
    held_out: tuple[str, ...] = ()

    def options(self) -> dict[str, Any]:
        """Return the options that affect the results."""
        return {
            "sources": asdict(self.sources),
            "teacher": self.teacher,
            "start": self.start,
            "amounts": asdict(self.amounts),
            "held_out": list(self.held_out),
        }

    def portable_options(self) -> dict[str, Any]:
        """Return the same without paths of this machine."""
        names = {
            "teacher": Path(self.teacher).name,
            "start": Path(self.start).name if self.start else None,
            "held_out": [Path(path).name for path in self.held_out],
        }
        return self.options() | names | {"sources": list(asdict(self.sources))}


class Stage(NamedTuple):
    """A stage: the stages that it needs, the fields of `Amounts` that it uses, and what it runs."""

    needs: tuple[str, ...]
    amounts: tuple[str, ...]
    run: Callable[[Setting, str], Mapping[str, Any]]


def list_stages(setting: Setting) -> dict[str, Stage]:
    """Return the stages by name, in their order."""
    from . import student_stages, teacher_stages, vocabulary_stages

    amounts = setting.amounts
    parts = tuple(f"label-sentences-{part}" for part in range(PARTS))
    students = tuple(f"student-{seed}" for seed in range(amounts.students))
    refine = tuple(f"refine-{seed}" for seed in range(amounts.students))
    teacher = ("teacher_texts", "teacher_epochs", "teacher_tokens", "made")
    of_reviews_need = () if setting.start else ("student-reviews",)
    sentences = Stage(
        ("teacher-sentences", *of_reviews_need), ("judged", "sentences", "recombined"), teacher_stages.label_sentences
    )
    network = ("embedding_size", "hidden_size")
    training = (*network, "batch_size", "adversarial")
    student = (*training, "student_epochs", "student_rate", "made", "misspelled", "emoji", "pairing")
    of_reviews = {
        "pretrain": Stage(("vocabulary",), (*network, "pretrain_reviews"), student_stages.pretrain),
        "student-reviews": Stage(
            ("pretrain", "teacher-reviews"), (*training, "review_epochs"), student_stages.train_student_of_reviews
        ),
    }
    vocabulary = vocabulary_stages.extend_vocabulary if setting.start else vocabulary_stages.learn_vocabulary
    return {
        "teacher-sentences": Stage((), teacher, teacher_stages.fine_tune_encoder),
        "vocabulary": Stage((), ("vocabulary", "pieces"), vocabulary),
        "teacher-reviews": Stage((), ("student_reviews",), teacher_stages.fit_linear_teacher),
        **({} if setting.start else of_reviews),
        "label-reviews": Stage(
            ("teacher-reviews", *of_reviews_need), ("student_reviews",), teacher_stages.label_reviews
        ),
        **dict.fromkeys(parts, sentences),
        **dict.fromkeys(
            students, Stage(("vocabulary", "label-reviews", *parts), student, student_stages.train_student)
        ),
        **{
            refined: Stage((trained,), ("refining_texts",), student_stages.refine_student)
            for trained, refined in zip(students, refine, strict=True)
        },
        "choose": Stage(refine, ("students",), student_stages.choose_student),
        "calibrate": Stage(("choose",), (), student_stages.calibrate_student),
        "release": Stage(("calibrate",), (), student_stages.release),
    }


class Recipe:
    """All stages of one setting."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.stages = list_stages(setting)

    def run(self, jobs: int, command: Sequence[str], until: str = "release") -> list[dict[str, Any]]:
        """Run the unfinished stages, each in a process of its own, and return the table of all figures.

        Args:
            jobs: stages side by side.
            command: command that runs a stage when `--stage NAME` is appended.
            until: last stage to run.

        Raises:
            OptionsError: there is no such stage, or a stage was run with other options.
            SentimentError: a stage failed; its message was printed.
        """
        self.check_stage(until)
        stages = list(islice(self.stages, list(self.stages).index(until) + 1))
        for name in stages:
            self.check_options(name)
        waiting = [name for name in stages if not self.is_done(name)]
        running: dict[Future[int], str] = {}
        with ThreadPoolExecutor(jobs) as pool:
            while waiting or running:
                ready = [name for name in waiting if all(map(self.is_done, self.stages[name].needs))]
                for name in ready[: jobs - len(running)]:
                    print(f"{time.strftime('%H:%M:%S')} {name} begins", flush=True)
                    waiting.remove(name)
                    running[pool.submit(subprocess.call, [*command, "--stage", name])] = name
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    name = running.pop(future)
                    if future.result():
                        raise SentimentError(f"stage {name} failed; the same command goes on from there")
                    print(f"{time.strftime('%H:%M:%S')} {name}: {json.dumps(self.figures(name))}", flush=True)
        return [{"stage": name} | self.figures(name) for name in stages]

    def run_stage(self, name: str) -> None:
        """Run one stage in this process and write its figures.

        Raises:
            OptionsError: there is no such stage, or it was run with other options.
        """
        self.check_stage(name)
        self.check_options(name)
        folder = self.setting.work / name
        folder.mkdir(parents=True, exist_ok=True)
        self.options_path(name).write_text(json.dumps(self.options(name), indent=1) + "\n", encoding="utf-8")
        started = time.perf_counter()
        figures = self.stages[name].run(self.setting, name)
        path = self.figures_path(name)
        unfinished = path.with_suffix(".unfinished")
        minutes = {"minutes": round((time.perf_counter() - started) / 60, 1)}
        unfinished.write_text(json.dumps(minutes | dict(figures)) + "\n", encoding="utf-8")
        unfinished.rename(path)

    def check_stage(self, name: str) -> None:
        """Raise OptionsError if there is no stage of this name."""
        if name not in self.stages:
            raise OptionsError(f"there is no stage {name!r}, only {', '.join(self.stages)}")

    def check_options(self, name: str) -> None:
        """Raise OptionsError if a stage was run with other options than these."""
        path = self.options_path(name)
        if not path.is_file():
            return
        before, now = json.loads(path.read_text(encoding="utf-8")), self.options(name)
        if changed := [key for key in now if before.get(key) != now[key]]:
            raise OptionsError(
                f"stage {name} was run with other options: {', '.join(changed)}; give another --work folder, or remove"
                f" {path} with {self.figures_path(name).name} and the folders {name} and {name}.training"
            )

    def options(self, name: str) -> dict[str, Any]:
        """Return the options that a stage and the stages that it needs depend on."""
        given = self.setting.options()
        return {key: given[key] for key in ("sources", "teacher", "start", "held_out")} | {
            key: given["amounts"][key] for key in sorted(self._amounts(name))
        }

    def _amounts(self, name: str) -> set[str]:
        stage = self.stages[name]
        return set(stage.amounts).union(*map(self._amounts, stage.needs))

    def options_path(self, name: str) -> Path:
        """Return the path of the options of a stage."""
        return self.setting.work / f"{name}.{OPTIONS}"

    def figures_path(self, name: str) -> Path:
        """Return the path of the figures of a stage."""
        return self.setting.work / f"{name}.{FIGURES}"

    def is_done(self, name: str) -> bool:
        """Return whether a stage has finished."""
        return self.figures_path(name).is_file() and self.options_path(name).is_file()

    def figures(self, name: str) -> dict[str, Any]:
        """Return the figures of a finished stage."""
        return json.loads(self.figures_path(name).read_text(encoding="utf-8"))


def main_command() -> list[str]:
    """Return the command that started this program, for the processes of the stages."""
    return [sys.executable, "-m", "sentiment_gru.distillation", *sys.argv[1:]]
