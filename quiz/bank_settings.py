"""The settings of a bank as the fields of a form and back: title, demands, levels, and misconceptions.

Levels and misconceptions are texts of one entry a line: "Basics: Padding; Shapes" and "m-three-gates: A GRU has two."
"""

from collections.abc import Iterator, Mapping
from typing import Any

_LINES = ("title", "description")
_SETTINGS = (*_LINES, "demands", "misconceptions", "ladder")


def to_fields(bank: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings of a bank's JSON value as fields."""
    levels = [f"{level['name']}: {'; '.join(level['topics'])}" for level in bank.get("ladder", [])]
    sentences = [f"{name}: {' '.join(sentence.split())}" for name, sentence in bank.get("misconceptions", {}).items()]
    return {
        **{name: bank.get(name, "") for name in _LINES},
        "demands": bank.get("demands", "full"),
        "ladder": "\n".join(levels),
        "misconceptions": "\n".join(sentences),
    }


def read_settings(fields: Mapping[str, str], bank: Mapping[str, Any]) -> dict[str, Any]:
    """Return a bank with the settings of a form. An empty field removes the setting."""
    settings: dict[str, Any] = {name: " ".join(fields.get(name, "").split()) for name in _LINES}
    settings["demands"] = "basic" if fields.get("demands") == "basic" else ""
    settings["misconceptions"] = dict(_read_lines(fields.get("misconceptions", "")))
    settings["ladder"] = [
        {"name": name, "topics": [topic.strip() for topic in topics.split(";") if topic.strip()]}
        for name, topics in _read_lines(fields.get("ladder", ""))
    ]
    others = {name: value for name, value in bank.items() if name not in (*_SETTINGS, "items")}
    return {**others, **{name: value for name, value in settings.items() if value}, "items": bank["items"]}


def _read_lines(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the value of each line that is not empty."""
    for line in filter(str.strip, text.splitlines()):
        name, _, value = line.partition(":")
        yield name.strip(), value.strip()
