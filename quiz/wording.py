"""Wording that messages and pages have in common."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as "1 run" and "2,000 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
