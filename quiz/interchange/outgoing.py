"""From a bank's items to questions of other systems, and what those have no place for."""

from collections import Counter
from collections.abc import Callable, Iterable

from ..bank import Item, Numeric, Source
from .question import Answer, Question

# What neither Moodle nor GIFT has a field for, and whether an item has it.
NOT_CARRIED: dict[str, Callable[[Item], bool]] = {
    "objective": lambda item: bool(item.objective),
    "misconceptions": lambda item: any(_misconceptions(item)),
    "claims and checks": lambda item: item.check is not None,
    "link into the app": lambda item: item.live is not None,
    "prerequisites": lambda item: bool(item.prereq),
    "enemies": lambda item: bool(item.enemies),
    "pictures": lambda item: bool(item.media),
}


def _misconceptions(item: Item) -> list[str | None]:
    anticipated = item.numeric.anticipated if item.numeric else ()
    return [*(option.misconception for option in item.options), *(wrong.misconception for wrong in anticipated)]


def to_question(item: Item) -> Question:
    """Return an item as a question: code goes to the end of the stem, sources to the end of the explanation."""
    code = f"\n\n```python\n{item.code}\n```" if item.code else ""
    return Question(
        kind=item.type,
        name=item.id,
        stem=item.stem + code,
        answers=_numbers(item.numeric) if item.numeric else _options(item),
        topic=item.topic,
        explanation="\n\n".join(filter(None, [item.explanation, sources_list(item.sources)])),
        hints=item.hints,
        tags=tuple(_tags(item)),
    )


def not_carried(items: Iterable[Item]) -> dict[str, int]:
    """Return what is lost on the way, and in how many items."""
    return dict(Counter(name for item in items for name, has in NOT_CARRIED.items() if has(item)))


def sources_list(sources: Iterable[Source]) -> str:
    """Return the sources as a list in Markdown, empty if there is none."""
    lines = [f"- [{source.cite}]({source.url}), {source.loc}" for source in sources]
    return "\n".join(["Sources:\n", *lines]) if lines else ""


def _options(item: Item) -> tuple[Answer, ...]:
    """Return the options: right ones share the mark; of several choices, wrong ones take as much away."""
    right = len(item.correct_options)
    wrong = len(item.options) - right
    penalty = -100 / wrong if item.type == "multi" else 0.0
    return tuple(
        Answer(option.text, 100 / right if option.correct else penalty, option.feedback) for option in item.options
    )


def _numbers(key: Numeric) -> tuple[Answer, ...]:
    wrong = (Answer(repr(each.value), 0, each.feedback, key.tolerance) for each in key.anticipated)
    return (Answer(repr(key.value), 100, key.right, key.tolerance), *wrong, Answer("*", 0, key.wrong))


def _tags(item: Item) -> Iterable[str]:
    fields = {"bloom": item.bloom, "difficulty": item.difficulty, "convention": item.convention}
    fields |= {"version": item.version, "status": item.status, "blueprint": item.blueprint}
    fields["unit"] = item.numeric.unit if item.numeric else ""
    yield from (f"{name}: {value}" for name, value in fields.items() if value)
    if item.negative:
        yield "negative"
