"""Reading of QTI files of both versions: an archive, or one XML file."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from lxml import etree

from ..formats import InterchangeError, Note, Question
from .archives import all_text, is_archive, local_name, parse_xml, read_archive
from .qti12 import read_qti12
from .qti21 import read_qti21

_MANIFEST = "imsmanifest.xml"
_ROOTS = ("questestinterop", "assessmentItem")


def read_qti(data: bytes) -> tuple[list[Question], list[Note]]:
    """Read a file in QTI 1.2 or 2.1.

    Returns:
        The questions of the types that the quiz supports, and a note on every other item.

    Raises:
        InterchangeError: If the file is neither an archive nor XML of QTI, or exceeds a limit.
    """
    questions, notes = list[Question](), list[Note]()
    if not is_archive(data):
        root = parse_xml(data)
        if local_name(root) not in _ROOTS:
            raise InterchangeError("the file is not QTI: it begins with neither <questestinterop> nor <assessmentItem>")
        return _read_root(root, {}, "", ())
    files = read_archive(data)
    keywords = _read_keywords(files)
    roots = dict(_find_roots(files))
    if not roots:
        raise InterchangeError("the archive contains no file in QTI 1.2 or 2.1")
    for name, root in roots.items():
        folder = str(PurePosixPath(name).parent)
        beside = {_relative(other, folder): content for other, content in files.items()}
        found = _read_root(root, beside, name if len(roots) > 1 else "", keywords.get(name, ()))
        questions += found[0]
        notes += found[1]
    return questions, notes


def _find_roots(files: dict[str, bytes]) -> Iterator[tuple[str, etree._Element]]:
    """Yield the name and the root of each file with items."""
    for name, content in files.items():
        if name.lower().endswith(".xml") and PurePosixPath(name).name != _MANIFEST:
            try:
                root = parse_xml(content)
            except InterchangeError as error:
                raise InterchangeError(f"{name}: {error}") from error
            if local_name(root) in _ROOTS:
                yield name, root


def _relative(name: str, folder: str) -> str:
    return name.removeprefix(f"{folder}/") if folder != "." else name


def _read_root(
    root: etree._Element, files: dict[str, bytes], file: str, keywords: tuple[str, ...]
) -> tuple[list[Question], list[Note]]:
    if local_name(root) == "questestinterop":
        return read_qti12(root, files, file)
    found = read_qti21(root, files, file, keywords)
    return ([found], []) if isinstance(found, Question) else ([], [found])


def _read_keywords(files: dict[str, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the keywords of each file that a manifest lists."""

    def read() -> Iterator[tuple[str, tuple[str, ...]]]:
        for element in parse_xml(files[_MANIFEST]).iter():
            if local_name(element) == "resource":
                words = (all_text(part) for part in element.iter() if local_name(part) == "keyword")
                yield element.get("href", ""), tuple(filter(None, words))

    return dict(read()) if _MANIFEST in files else {}
