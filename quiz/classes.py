"""Classes: the form that a teacher gives to learners, the code that opens it, and the questions of each run.

    quiz_class, token = make_class(bank, ClassOptions("GRU, week 3", topics=("Shapes",), item_count=10))
    items = items_of_run(bank, quiz_class, run)

The questions of a run follow from the class, the run and the bank alone, so that nothing of them is kept in a browser.
"""

import hashlib
import random
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from .bank import Bank, Item, are_enemies, draw_instance, fingerprint, make_instance
from .bank.formulas import ClaimError
from .class_records import (
    AFTER_DEADLINE,
    AT_ONCE,
    DRAWN,
    FIXED,
    LISTED,
    POST,
    PRE,
    SHUFFLED,
    SINGLE_TEST,
    STAGE,
    TEXT,
    ClassRun,
    FormItem,
    QuizClass,
    learner_of,
)
from .errors import ClassError, counted

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The letters of codes, of which no two look alike."""
CODE_LENGTH = 8
"""With this alphabet 39 bits: of a hundred classes, one address needs years to find one within its rate limit."""
MAX_TITLE = 100
MAX_ITEMS = 200
MAX_ATTEMPTS = 99
MAX_RETENTION_DAYS = 3650
MAX_DEADLINE_DAYS = 3650
RETENTION_DAYS = 180
STORED = (
    "What is stored: each answer with its question, hints, confidence, time and a random name of the run, and the "
    "nickname, which may be left out. Nothing else about a person."
)
_TRIES = 20  # for numbers of the post-test that differ from those of the first test
_WRONG_CODE = f"This is not a class code. It has {CODE_LENGTH} letters and digits, such as K7M2-XQ4D."


@dataclass(frozen=True)
class ClassOptions:
    """A teacher's choices for a new class.

    Attributes:
        title: Title that the learners see.
        topics: Topics of the items; all if empty.
        item_ids: The items themselves in their order, instead of topics.
        item_count: Number of items in a run; all that are to choose from if None.
        draw: `FIXED` or `DRAWN`.
        order: `LISTED` or `SHUFFLED`.
        pre_post: Whether there are two tests on the same items with other numbers.
        attempts_allowed: Number of runs of a learner in each test.
        deadline: Time after which no answer is accepted, or None.
        feedback: `AT_ONCE` or `AFTER_DEADLINE`.
        retention_days: Days until the class is deleted, from its deadline or else its creation.
        randomized: Whether each learner is assigned to the lesson with or without its stage at random.
    """

    title: str
    topics: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    item_count: int | None = None
    draw: str = FIXED
    order: str = LISTED
    pre_post: bool = False
    attempts_allowed: int = 1
    deadline: datetime | None = None
    feedback: str = AT_ONCE
    retention_days: int = RETENTION_DAYS
    randomized: bool = False


def make_class(bank: Bank, options: ClassOptions) -> tuple[QuizClass, str]:
    """Return a new class, and the token that opens its results, of which the class has the hash only.

    Raises:
        ClassError: An option is not allowed; the message says which.
    """
    now = datetime.now(UTC)
    title = " ".join(options.title.split())
    pool = _choose_pool(bank, options)
    count = len(pool) if options.item_count is None else options.item_count
    _check_options(options, title, pool, count, now)
    token = secrets.token_urlsafe(24)
    secret = hash_token(token)
    items = pool
    if options.draw == FIXED:
        items = draw_form(pool, count, random.Random(f"{secret} form")) if count < len(pool) else pool
    quiz_class = QuizClass(
        code=new_code(),
        created_at=now,
        title=title,
        bank_hash=fingerprint(bank),
        draw=options.draw,
        item_count=min(count, len(items)),
        order=options.order,
        pre_post=options.pre_post,
        attempts_allowed=options.attempts_allowed,
        deadline=options.deadline,
        feedback=options.feedback,
        retention_days=options.retention_days,
        token_hash=secret,
        items=tuple(_make_form_item(item, options, secret) for item in items),
        randomized=options.randomized,
    )
    return quiz_class, token


def draw_form(pool: Sequence[Item], count: int, generator: random.Random) -> list[Item]:
    """Draw items spread evenly over the topics, in the order of the pool.

    Items that reveal each other's answers are drawn together only if there are too few others.
    """
    waiting = generator.sample(list(pool), len(pool))
    chosen: list[Item] = []
    while waiting and len(chosen) < count:
        counts = Counter(item.topic for item in chosen)
        chosen.append(
            min(waiting, key=lambda item: (any(are_enemies(item, other) for other in chosen), counts[item.topic]))
        )
        waiting.remove(chosen[-1])
    ids = {item.id for item in chosen}
    return [item for item in pool if item.id in ids]


def items_of_run(bank: Bank, quiz_class: QuizClass, run: ClassRun) -> tuple[Item, ...]:
    """Return the questions of a run in its order, with its numbers and with their options shuffled.

    The hash of the class's token is part of every seed, so that a learner, who knows the name of the run, can compute
    neither what is drawn nor the order of the options in the bank.

    Raises:
        ClassError: The bank lacks a question of the class, or has another version of it.
    """
    pool = [(entry, item) for entry, item in zip(quiz_class.items, _find_items(bank, quiz_class), strict=True)]
    seed = f"{quiz_class.token_hash} {run.run}"
    if quiz_class.draw == DRAWN:
        learner = f"{quiz_class.token_hash} {run.learner}"  # both tests of a learner have the same items
        generator = random.Random(learner if quiz_class.pre_post else seed)
        drawn = draw_form([item for _, item in pool], quiz_class.item_count, generator)
        items = [draw_instance(item, f"{seed} {item.id} parameters") for item in drawn]
    else:
        items = [_fill_in(item, entry, run.phase) for entry, item in pool]
    if quiz_class.order == SHUFFLED:
        items = random.Random(f"{seed} order").sample(items, len(items))
    return tuple(_shuffle_options(item, seed) for item in items)


def find_revealing(bank: Bank, ids: Set[str]) -> frozenset[str]:
    """Return the ids of questions, and of those that give one of them away.

    That are the questions that the bank calls enemies or prerequisites of one of them, those of which it is a
    prerequisite, and those whose key is proved by the same function: their explanations and proofs state its answer, or
    show the same computation.
    """
    asked = [item for item in bank.items if item.id in ids]
    proofs = {item.check.fn for item in asked if item.check and item.check.fn}
    needed = {item_id for item in asked for item_id in item.prereq}
    revealing = (
        item.id
        for item in bank.items
        if (item.check and item.check.fn in proofs)
        or item.id in needed
        or not ids.isdisjoint(item.prereq)
        or any(are_enemies(item, other) for other in asked)
    )
    return frozenset(ids) | frozenset(revealing)


def assign_condition(quiz_class: QuizClass, nickname: str) -> str:
    """Return the condition of a learner, which is the same in every run; empty in a class that is not randomized.

    It is drawn from the hash of the class's token and the nickname: a learner cannot know it before, and two runs that
    begin at once have the same one.
    """
    if not quiz_class.randomized:
        return ""
    return random.Random(f"{quiz_class.token_hash} {learner_of(nickname)} condition").choice((TEXT, STAGE))


def without_items(bank: Bank, ids: Collection[str]) -> Bank:
    """Return the bank without some items, which are then no prerequisites either."""
    kept = (item for item in bank.items if item.id not in ids)
    items = (replace(item, prereq=tuple(other for other in item.prereq if other not in ids)) for item in kept)
    return replace(bank, items=tuple(items))


def seed_of_run(run: ClassRun) -> int:
    """Return a number that follows from the name of a run."""
    return int(hashlib.sha256(run.run.encode()).hexdigest()[:8], 16)


def new_code() -> str:
    """Return a random code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def format_code(code: str, phase: str = SINGLE_TEST) -> str:
    """Return a code as it is shown, such as K7M2-XQ4D, and for one of two tests K7M2-XQ4D-POST."""
    half = CODE_LENGTH // 2
    return "-".join(filter(None, [code[:half], code[half:], phase.upper()]))


def read_code(text: str) -> tuple[str, str]:
    """Return the code and the phase of a text such as "k7m2 xq4d-post".

    Raises:
        ClassError: The text is not a code.
    """
    letters = re.sub(r"[\s-]", "", text[:100]).upper()
    code, phase = letters[:CODE_LENGTH], letters[CODE_LENGTH:].lower()
    if len(code) < CODE_LENGTH or set(code) - set(ALPHABET) or phase not in (SINGLE_TEST, PRE, POST):
        raise ClassError(_WRONG_CODE)
    return code, phase


def link_of(quiz_class: QuizClass, phase: str) -> str:
    """Return the link to a class, to be appended to the address of the app."""
    return f"#class={format_code(quiz_class.code, phase)}"


def random_nickname() -> str:
    """Return a name for a learner who gives none."""
    return f"learner-{new_code()[:6].lower()}"


def hash_token(token: str) -> str:
    """Return the hash of a token, which is random and long enough that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def describe_changes(bank: Bank, quiz_class: QuizClass) -> str:
    """Return the consequences for a class of changes of the bank since its creation; empty if there are none."""
    try:
        _find_items(bank, quiz_class)
    except ClassError as error:
        return str(error)
    if fingerprint(bank) == quiz_class.bank_hash:
        return ""
    return "The bank has changed since this class was made; its own questions have kept their versions."


def describe_class(quiz_class: QuizClass) -> str:
    """Return number of questions, attempts, feedback and deadline in a few words."""
    parts = [counted(quiz_class.item_count, "question")]
    if quiz_class.pre_post:
        parts.append("pre-test and post-test")
    allowed = quiz_class.attempts_allowed
    parts.append("one attempt" if allowed == 1 else f"{allowed} attempts")
    if quiz_class.deadline:
        parts.append(f"open until {format_time(quiz_class.deadline)}")
    if quiz_class.randomized:
        parts.append("lesson with or without the stage by chance")
    parts.append("results after the deadline" if quiz_class.feedback == AFTER_DEADLINE else "feedback at once")
    return ", ".join(parts)


def _choose_pool(bank: Bank, options: ClassOptions) -> list[Item]:
    live = {item.id: item for item in bank.items if item.status == "live"}
    if options.item_ids:
        if unknown := [item_id for item_id in options.item_ids if item_id not in live]:
            raise ClassError(f"The bank has no question {unknown[0][:80]!r}.")
        if len(set(options.item_ids)) < len(options.item_ids):
            twice = next(item_id for item_id, count in Counter(options.item_ids).items() if count > 1)
            raise ClassError(f"The question {twice!r} is listed twice.")
        return [live[item_id] for item_id in options.item_ids]
    topics = {item.topic for item in live.values()}
    if unknown := [topic for topic in options.topics if topic not in topics]:
        raise ClassError(f"The bank has no topic {unknown[0][:80]!r}.")
    return [item for item in live.values() if not options.topics or item.topic in options.topics]


def _check_options(options: ClassOptions, title: str, pool: Sequence[Item], count: int, now: datetime) -> None:
    if not title:
        raise ClassError("Give the class a title.")
    if len(title) > MAX_TITLE or any(unicodedata.category(char).startswith("C") for char in title):
        raise ClassError(f"A title has at most {MAX_TITLE} characters, all of which can be shown.")
    for name, value, allowed in [
        ("draw", options.draw, (FIXED, DRAWN)),
        ("order", options.order, (LISTED, SHUFFLED)),
        ("feedback", options.feedback, (AT_ONCE, AFTER_DEADLINE)),
    ]:
        if value not in allowed:
            raise ClassError(f"The option {name} is {' or '.join(map(repr, allowed))}, not {value[:40]!r}.")
    for what, number, high in [
        ("The number of questions", count, min(len(pool), MAX_ITEMS)),
        ("The number of attempts", options.attempts_allowed, MAX_ATTEMPTS),
        ("The number of days until the class is deleted", options.retention_days, MAX_RETENTION_DAYS),
    ]:
        if not 1 <= number <= high:
            raise ClassError(f"{what} is from 1 to {high:,}, not {number:,}.")
    if options.deadline is None:
        if options.feedback == AFTER_DEADLINE:
            raise ClassError("Feedback after the deadline needs a deadline.")
    elif options.deadline <= now:
        raise ClassError(f"The deadline {format_time(options.deadline)} has passed.")
    elif options.deadline > now + timedelta(days=MAX_DEADLINE_DAYS):
        raise ClassError(f"The deadline {format_time(options.deadline)} is too far away.")


def format_time(time: datetime) -> str:
    """Return a time in UTC, such as 2026-12-01 18:00 UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _make_form_item(item: Item, options: ClassOptions, secret: str) -> FormItem:
    """Return an item of a form, with the numbers of each test."""
    if options.draw == DRAWN or not item.template:
        return FormItem(item.id, item.version)
    draws = (draw_instance(item, f"{secret} {item.id} {number}").drawn for number in range(_TRIES))
    first = next(draws)
    numbers = {SINGLE_TEST: first}
    if options.pre_post:
        numbers = {PRE: first, POST: next((drawn for drawn in draws if drawn != first), first)}
    return FormItem(item.id, item.version, numbers)


def _find_items(bank: Bank, quiz_class: QuizClass) -> list[Item]:
    items = {(item.id, item.version): item for item in bank.items if item.status == "live"}
    found = [items.get((entry.item_id, entry.version)) for entry in quiz_class.items]
    if None in found:
        raise ClassError("The questions of this class have changed, so it cannot go on. Please tell your teacher.")
    return [item for item in found if item]


def _fill_in(item: Item, entry: FormItem, phase: str) -> Item:
    if not item.template:
        return item
    try:
        return make_instance(item.template, entry.numbers[phase])
    except (ClaimError, KeyError) as error:
        raise ClassError("The numbers of a question do not fit it any more. Please tell your teacher.") from error


def _shuffle_options(item: Item, seed: str) -> Item:
    generator = random.Random(f"{seed} {item.id} options")
    return replace(item, options=tuple(generator.sample(item.options, len(item.options))))
