"""Misspelled forms of English words."""

ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")  # of a keyboard; each lower row is shifted right by about half a key


def find_neighbours() -> dict[str, str]:
    """Return for each letter the letters of the keys that touch its key."""
    place = {letter: (row, column) for row, letters in enumerate(ROWS) for column, letter in enumerate(letters)}
    steps = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
    found = {(row + down, column + right): "" for row, column in place.values() for down, right in steps}
    found |= {position: letter for letter, position in place.items()}
    return {
        letter: "".join(found[row + down, column + right] for down, right in steps)
        for letter, (row, column) in place.items()
    }


NEIGHBOURS = find_neighbours()


def misspellings(word: str) -> dict[str, list[str]]:
    """Return the forms of a word with one mistake, by the kind of mistake.

    The first letter stays: it is seldom wrong (Yannakoudakis and Fawthrop 1983, "The rules of spelling errors").

    Args:
        word: word of any case; only its lower-case letters are replaced.

    >>> misspellings("bop")["replaced"]
    ['bip', 'bpp', 'bkp', 'blp', 'boo', 'bol']
    """
    inner = range(1, len(word))
    forms = {
        "dropped": [word[:i] + word[i + 1 :] for i in inner],
        "doubled": [word[: i + 1] + word[i:] for i in inner],
        "swapped": [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in inner[:-1]],
        "replaced": [word[:i] + key + word[i + 1 :] for i in inner for key in NEIGHBOURS.get(word[i], "")],
    }
    return {kind: [form for form in dict.fromkeys(made) if form != word] for kind, made in forms.items()}
