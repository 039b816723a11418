"""Runs in classes: limits and deadlines hold on the server, and an exam gives nothing away before its deadline."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from quiz import class_service
from quiz.backup import CopyingStore
from quiz.class_records import AFTER_DEADLINE, DRAWN, PRE, QuizClass
from quiz.class_store import ClassStore
from quiz.classes import ClassOptions, format_code, make_class
from quiz.selection import ALL, topic_scope
from quiz.service import MAX_NICKNAMES, QuizService, Visit
from quiz.store import Store
from tests.unit.quiz.test_backup import FakeHub
from tests.unit.quiz.test_backup import hub as hub
from tests.unit.quiz.test_backup import new_store as new_store
from tests.unit.quiz.test_session import BANK, BY_ID, LIVE, open_item, right, wrong

SECRET = b"a secret of the tests"
IDS = tuple(item.id for item in LIVE if item.topic == "Shapes")[:3]
DEADLINE = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path / 'quiz.sqlite3'}")


@pytest.fixture
def quiz(store: Store, monkeypatch: pytest.MonkeyPatch) -> QuizService:
    monkeypatch.setattr(class_service, "CACHE_SECONDS", 0)
    return QuizService(BANK, store, SECRET)


@pytest.fixture
def make(store: Store) -> Callable[..., QuizClass]:
    """Return a function that makes a class with three questions and stores it."""

    def make(**options: Any) -> QuizClass:
        quiz_class, _ = make_class(BANK, ClassOptions(**{"title": "Week 3", "item_ids": IDS, **options}))
        ClassStore(store).add(quiz_class)
        return quiz_class

    return make


@pytest.fixture
def pass_deadline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(class_service, "_now", lambda: DEADLINE)


def exam(make: Callable[..., QuizClass], **options: Any) -> QuizClass:
    return make(deadline=DEADLINE, feedback=AFTER_DEADLINE, **options)


def join(quiz: QuizService, code: str, nickname: str = "Ada", visit: Visit | None = None) -> Visit:
    return quiz.join(visit or quiz.open({}), code, nickname)


def give(quiz: QuizService, visit: Visit, is_right: bool = True) -> Visit:
    item = open_item(visit.session)
    return quiz.answer(visit, item.id, right(item) if is_right else wrong(item))


def test_a_class_has_its_questions_and_feedback_at_once(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    quiz_class = make()
    visit = join(quiz, format_code(quiz_class.code).lower())
    assert [item.id for item in visit.session.items] == list(IDS)
    visit = give(quiz, visit, is_right=False)
    assert visit.session.current_grade is not None
    assert not quiz.is_withheld(visit)
    assert IDS[0] in visit.record
    for _ in IDS[1:]:
        visit = give(quiz, quiz.advance(visit))
    assert [attempt.correct for attempt in store.attempts()] == [False, True, True]
    (run,) = ClassStore(store).runs(quiz_class.code)
    assert {attempt.run for attempt in store.attempts()} == {run.run}
    assert (run.nickname, run.attempt_number) == ("Ada", 1)
    visit = quiz.restart(quiz.advance(visit))
    assert "Ada has used the one attempt" in visit.notice
    assert visit.session.finished


def test_a_code_that_opens_nothing_leaves_the_run_as_it_was(quiz: QuizService, make: Callable[..., QuizClass]) -> None:
    two, before = make(pre_post=True), quiz.open({})
    for code, message in [
        ("22222222", "There is no class with the code 2222-2222"),
        ("", "not a class code"),
        (two.code, f"two tests: {format_code(two.code, 'pre')} and"),
        (make().code + "POST", "one test"),
    ]:
        visit = join(quiz, code, visit=before)
        assert message in visit.notice
        assert (visit.session, visit.sitting) == (before.session, None)
    assert "at most 40" in join(quiz, make().code, "x" * 41).notice


def test_attempts_are_counted_by_nickname_and_others_have_their_own(
    quiz: QuizService, make: Callable[..., QuizClass]
) -> None:
    code = make(attempts_allowed=2).code
    first, second = join(quiz, code), join(quiz, code, "ADA")
    assert first.session.run != second.session.run
    assert first.sitting
    assert not first.session.seen
    assert second.session.seen == frozenset(IDS)  # so that its answers are no first tries
    assert "has used all 2 attempts" in join(quiz, code, "ada").notice
    assert join(quiz, code, "Bob").sitting
    assert join(quiz, code, "").sitting


def test_who_gives_no_nickname_keeps_a_random_one(quiz: QuizService, make: Callable[..., QuizClass]) -> None:
    code = make(pre_post=True).code
    visit = join(quiz, code + "PRE", "")
    assert visit.sitting
    name = visit.sitting.run.nickname
    assert name.startswith("learner-")
    practice = quiz.start(visit, topic_scope("Shapes"))
    assert practice.sitting is None
    post = join(quiz, code + "POST", "", quiz.open(quiz.memory(practice)))
    assert post.sitting
    assert (post.sitting.run.nickname, post.sitting.run.phase) == (name, "post")
    other = join(quiz, code + "PRE", "")
    assert other.sitting
    assert other.sitting.run.nickname != name


def test_a_run_is_resumed_after_a_reload_and_by_its_code(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    code = make(draw=DRAWN, order="shuffled").code
    visit = give(quiz, join(quiz, code))
    again = QuizService(BANK, store, SECRET).open(quiz.memory(visit))
    assert again.session.items == visit.session.items
    assert again.session.grades == visit.session.grades
    assert again.session.position == 1
    assert again.session.run == visit.session.run
    assert join(quiz, code, "", again).session.run == visit.session.run
    assert join(quiz, code, "Bob", again).session.run != visit.session.run


def test_only_the_browser_with_the_token_goes_on_with_a_run(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    code = make().code
    visit = give(quiz, join(quiz, code))
    assert "has used the one attempt" in join(quiz, code).notice  # the same nickname in another browser
    name = visit.session.run
    foreign = URLSafeSerializer(b"guessed", salt="gru-quiz-class-run-1").dumps(name)
    ordinary = quiz.memory(quiz.open({}))["run"]
    for token in (name, foreign, ordinary, "", "a.b", 7, {"run": name}, [name], quiz.memory(visit)["class_run"][:-1]):
        opened = quiz.open({"class_run": token})
        assert opened.sitting is None
        assert opened.session.run != name
        assert opened.session.grades == ()


def test_after_the_deadline_no_answer_counts_and_no_run_begins(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass], pass_deadline: Callable[[], None]
) -> None:
    code = make(deadline=DEADLINE).code
    visit = give(quiz, join(quiz, code))
    visit = quiz.advance(visit)
    pass_deadline()
    item = open_item(visit.session)
    for after in (quiz.answer(visit, item.id, right(item)), quiz.hint(visit, item.id), quiz.skip(visit, item.id)):
        assert after.session.finished
        assert "deadline of this class has passed" in after.notice
    assert len(list(store.attempts())) == 1
    assert "no new run can begin" in join(quiz, code, "Bob").notice
    assert quiz.open(quiz.memory(visit)).session.finished


def test_an_exam_keeps_grades_marks_hints_and_levels_to_itself(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass], pass_deadline: Callable[[], None]
) -> None:
    visit = join(quiz, exam(make).code)
    assert quiz.is_withheld(visit)
    hinted = quiz.hint(visit, IDS[0])
    assert hinted.session.hints == 0
    assert "no hints" in hinted.message
    visit = give(quiz, visit)
    assert visit.session.position == 1
    assert visit.session.current_grade is None
    visit = quiz.open(quiz.memory(visit))
    assert visit.session.position == 1
    for _ in IDS[1:]:
        visit = give(quiz, visit, is_right=False)
    assert visit.session.finished
    assert visit.record == {}
    assert quiz.memory(visit)["credits"] == {}
    retried = quiz.retry(visit)
    assert (retried.session, retried.sitting) == (visit.session, visit.sitting)
    assert [attempt.correct for attempt in store.attempts()] == [True, False, False]
    pass_deadline()
    after = quiz.open(quiz.memory(visit))
    assert not quiz.is_withheld(after)
    assert after.session.score == 1
    assert quiz.retry(after).sitting is None


def test_while_an_exam_is_open_no_other_run_asks_its_questions(
    quiz: QuizService, make: Callable[..., QuizClass], pass_deadline: Callable[[], None]
) -> None:
    before = quiz.start(quiz.open({}), topic_scope("Shapes"))
    answered = give(quiz, before)
    practice = give(quiz, join(quiz, make().code, "Bob"))
    exam(make)
    for step in (quiz.advance, lambda visit: quiz.hint(visit, IDS[0]), lambda visit: give(quiz, visit)):
        after = step(before)
        assert "part of a test" in after.notice
        assert not set(IDS) & {item.id for item in after.session.items}
    assert "part of a test" in quiz.retry(answered).message
    assert "part of a test" in quiz.open(quiz.memory(answered)).notice
    for scope in (ALL, topic_scope("Shapes")):
        assert not set(IDS) & {item.id for item in quiz.start(quiz.open({}), scope).session.items}
    assert quiz.is_withheld(practice)  # another class with the same questions
    after = quiz.answer(practice, IDS[1], right(BY_ID[IDS[1]]))
    assert after.session.current_grade is None
    assert after.record == practice.record
    assert len(after.session.grades) == 2
    pass_deadline()
    assert quiz.open(quiz.memory(answered)).session.run == answered.session.run


def test_what_gives_an_exam_away_is_withheld_as_well(quiz: QuizService, make: Callable[..., QuizClass]) -> None:
    asked, enemy = "gru-parameters-007", "gru-parameters-010"
    assert asked in BY_ID[enemy].enemies
    practice = join(quiz, make(item_ids=(enemy,)).code)
    run = quiz.start(quiz.open({}), ALL)
    while open_item(run.session).id != enemy:
        run = quiz.advance(give(quiz, run))
    exam(make, item_ids=(asked,))
    after = give(quiz, run)
    assert "give one away" in after.notice
    assert enemy not in {item.id for item in after.session.items}
    assert enemy not in {item.id for item in quiz.start(after, topic_scope("Parameters")).session.items}
    assert quiz.is_withheld(give(quiz, practice))


def test_an_exam_on_the_whole_bank_leaves_no_question_to_practise(
    quiz: QuizService, make: Callable[..., QuizClass]
) -> None:
    exam(make, item_ids=())
    visit = quiz.open({})
    assert visit.session.items == ()
    assert visit.session.finished
    assert quiz.start(visit, ALL).session.items == ()


def test_a_deleted_class_ends_its_runs(quiz: QuizService, store: Store, make: Callable[..., QuizClass]) -> None:
    quiz_class = make()
    visit = join(quiz, quiz_class.code)
    memory = quiz.memory(visit)
    ClassStore(store).delete(quiz_class.code)
    after = give(quiz, visit)
    assert after.sitting is None
    assert "has been deleted" in after.notice
    assert "has been deleted" in quiz.open(memory).notice
    assert list(store.attempts()) == []


def test_an_answer_is_kept_while_the_database_is_away(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    visit = join(quiz, make().code)
    assert store.file
    away = store.file.with_suffix(".away")
    store.file.rename(away)
    store.file.mkdir()
    visit = give(quiz, visit)
    assert not visit.stored
    store.file.rmdir()
    away.rename(store.file)
    visit = quiz.advance(visit)
    assert visit.stored
    assert [attempt.item_id for attempt in store.attempts()] == [IDS[0]]


def test_a_run_that_cannot_be_read_for_a_while_is_not_lost(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    memory = quiz.memory(give(quiz, join(quiz, make().code)))
    assert store.file
    away = store.file.with_suffix(".away")
    store.file.rename(away)
    store.file.mkdir()
    restarted = QuizService(BANK, store, SECRET)
    visit = restarted.open(memory)
    assert visit.sitting is None
    assert "nothing of it is lost" in visit.notice
    kept = restarted.memory(restarted.advance(visit))
    assert kept["class_run"] == memory["class_run"]
    assert "class_run" not in restarted.memory(restarted.start(visit, ALL))
    store.file.rmdir()
    away.rename(store.file)
    again = QuizService(BANK, store, SECRET).open(kept)
    assert again.sitting
    assert len(again.session.grades) == 1


def test_after_a_restart_on_a_new_disk_a_run_waits_for_the_copy(
    hub: Path, new_store: Callable[..., CopyingStore]
) -> None:
    old, new = new_store(FakeHub(hub)), new_store(FakeHub(hub))
    old.connect()
    quiz_class, _ = make_class(BANK, ClassOptions("Week 3", item_ids=IDS))
    ClassStore(old).add(quiz_class)
    before = QuizService(BANK, old, SECRET)
    memory = before.memory(give(before, join(before, quiz_class.code)))
    old.finish()
    quiz = QuizService(BANK, new, SECRET)
    waiting = quiz.open(memory)
    assert "being read from their copy" in waiting.notice
    assert "being read from their copy" in join(quiz, quiz_class.code).notice
    new.connect()
    visit = quiz.open(quiz.memory(waiting))
    assert visit.sitting
    assert len(visit.session.grades) == 1
    assert "There is no class" in join(quiz, "22222222").notice


def test_classes_whose_retention_is_over_are_deleted_in_passing(quiz: QuizService, store: Store) -> None:
    quiz_class, _ = make_class(BANK, ClassOptions("Old", retention_days=1))
    old = QuizClass(**{**vars(quiz_class), "created_at": quiz_class.created_at - timedelta(days=2)})
    ClassStore(store).add(old)
    quiz.open({})
    assert ClassStore(store).classes() == []


@pytest.mark.parametrize(
    "data",
    [None, 7, [], "x", {"22222222": 7}, {7: "Ada"}, {"22222222": "x" * 99}, {"nothing": "Ada"}, {"22222222": ""}],
)
def test_unsound_nicknames_of_a_browser_are_left_out(quiz: QuizService, data: object) -> None:
    assert quiz.open({"nicknames": data}).nicknames == {}


def test_a_browser_keeps_few_nicknames(quiz: QuizService, make: Callable[..., QuizClass]) -> None:
    visit = quiz.open({})
    for number in range(MAX_NICKNAMES + 3):
        visit = join(quiz, make().code, f"n{number}", visit)
    assert list(visit.nicknames.values()) == [f"n{number}" for number in range(3, MAX_NICKNAMES + 3)]
    assert quiz.open(quiz.memory(visit)).nicknames == visit.nicknames


def test_the_drawn_numbers_of_a_class_are_stored(
    quiz: QuizService, store: Store, make: Callable[..., QuizClass]
) -> None:
    item = next(item for item in LIVE if item.template)
    quiz_class = make(item_ids=(item.id,), pre_post=True)
    give(quiz, join(quiz, quiz_class.code + "PRE"))
    (attempt,) = store.attempts()
    assert attempt.parameters == quiz_class.items[0].numbers[PRE]
