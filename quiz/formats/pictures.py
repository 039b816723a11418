"""Pictures of questions: found in Markdown, loaded from the imported file, checked, and written as XHTML.

A picture is never fetched from another address. Formats that the quiz does not show are converted to PNG.
"""

import base64
import binascii
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from pathlib import PurePosixPath
from urllib.parse import unquote

from lxml import etree
from PIL import Image

from ..formats import Answer, Picture, Question, UnreadableError

PICTURE_FOLDER = "pictures"
"""Folder of the pictures in an exported archive."""
MAX_BYTES = 2_000_000
MAX_PIXELS = 25_000_000
MIN_DESCRIPTION = 10  # characters, as the bank requires
_KEPT = {"PNG": ".png", "WEBP": ".webp"}
_CONVERTED = ("JPEG", "GIF", "BMP")
_PARTS = re.compile(
    r"(?P<code>^```.*?^```[^\S\n]*$|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
    r"|!\[(?P<alt>(?:\\.|[^\]\\]){0,1000})\]\((?P<src>[^)\s]*)\)",
    re.DOTALL | re.MULTILINE,
)
_DATA = re.compile(r"data:image/[\w.+-]+;base64,(?P<data>.*)", re.DOTALL)

Loader = Callable[[str], bytes]
"""A function that returns the content of a picture by its address, or raises UnreadableError."""


def load_from(files: Mapping[str, bytes], prefix: str = "") -> Loader:
    """Return a loader of pictures in an imported file.

    Args:
        files: Content by name.
        prefix: Start of an address that is not part of the name.
    """

    def load(address: str) -> bytes:
        if match := _DATA.fullmatch(unquote(address)):
            try:
                return base64.b64decode(match["data"], validate=True)
            except binascii.Error:
                raise UnreadableError("its picture is not valid base64") from None
        if re.match(r"(?:[a-z]+:)?//|data:", address, re.IGNORECASE):
            raise UnreadableError(f"its picture is at another address, which is not fetched: {address[:80]}")
        name = unquote(address).removeprefix(prefix).split("?")[0].lstrip("/")
        found = name if name in files else next((other for other in files if other.endswith(f"/{name}")), "")
        if not found or not name:
            raise UnreadableError(f"its picture {name!r} is not in the file")
        return files[found]

    return load


def take_pictures(markdown: str, load: Loader) -> tuple[str, list[Picture], list[str]]:
    """Return a stem without its pictures, the pictures, and what this changes.

    Raises:
        UnreadableError: A picture is missing, at another address, too large, or none that can be shown.
    """
    pictures: list[Picture] = []
    changes: list[str] = []

    def take(match: re.Match[str]) -> str:
        if match["code"]:
            return match[0]
        if markdown[match.end() :].strip() and not _PARTS.match(markdown[match.end() :].strip()):
            changes.append("a picture within the text is shown below it")
        alt = " ".join(re.sub(r"\\(.)", r"\1", match["alt"]).split())
        name = "picture" if match["src"].startswith("data:") else PurePosixPath(unquote(match["src"])).name
        suffix, data, converted = _check(name, load(match["src"]))
        if converted:
            changes.append(f"the picture {name} is converted to PNG")
        if len(alt) < MIN_DESCRIPTION:
            changes.append(f"the picture {name} needs a description of {MIN_DESCRIPTION} or more characters")
            alt = f"Picture without a description: {alt or name}"
        pictures.append(Picture(PurePosixPath(name).stem + suffix, data, alt))
        return ""

    text = _PARTS.sub(take, markdown)
    if pictures:
        text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE))
        text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text, pictures, list(dict.fromkeys(changes))


def refuse_pictures(answers: tuple[Answer, ...]) -> None:
    """Raise UnreadableError if the text of an answer contains a picture."""
    if any(_describe(answer.text) != answer.text for answer in answers):
        raise UnreadableError("an answer contains a picture, which this quiz can show in the question only")


def describe_other_pictures(question: Question) -> Question:
    """Return a question with descriptions in place of pictures in feedback, explanation and hints."""
    described = replace(
        question,
        answers=tuple(replace(answer, feedback=_describe(answer.feedback)) for answer in question.answers),
        explanation=_describe(question.explanation),
        hints=tuple(map(_describe, question.hints)),
    )
    if described == question:
        return question
    return replace(described, changes=(*question.changes, "pictures outside the question become their descriptions"))


def _describe(markdown: str) -> str:
    """Return a text with descriptions in place of its pictures."""
    return _PARTS.sub(lambda match: match[0] if match["code"] else match["alt"] or "(picture)", markdown)


def _check(name: str, data: bytes) -> tuple[str, bytes, bool]:
    """Return suffix and content of a picture that the quiz can show, and whether it was converted."""
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"its picture {name} is larger than {MAX_BYTES // 1_000_000} MB")
    if data.lstrip()[:5] in (b"<?xml", b"<svg ", b"<svg>"):
        return ".svg", _check_svg(name, data), False
    try:
        with Image.open(io.BytesIO(data), formats=[*_KEPT, *_CONVERTED]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise UnreadableError(f"its picture {name} has more than {MAX_PIXELS // 1_000_000} million pixels")
            if picture.format in _KEPT:
                picture.verify()
                return _KEPT[picture.format], data, False
            output = io.BytesIO()
            picture.convert("RGBA" if "transparency" in picture.info else "RGB").save(output, "PNG")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError(f"its picture {name} is not PNG, WebP, SVG, JPEG, GIF or BMP, or is damaged") from None
    if output.tell() > MAX_BYTES:
        raise UnreadableError(f"its picture {name} is larger than {MAX_BYTES // 1_000_000} MB as PNG")
    return ".png", output.getvalue(), True


def _check_svg(name: str, data: bytes) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        raise UnreadableError(f"its picture {name} is not valid SVG") from None
    if root.tag != "{http://www.w3.org/2000/svg}svg" or root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableError(f"its picture {name} is not plain SVG")
    return data


def picture_html(question: Question, folder: str) -> str:
    """Return the pictures of a question as XHTML, one paragraph each."""
    return "".join(
        f'<p><img src="{escape(folder + picture.name)}" alt="{escape(picture.alt)}" /></p>'
        for picture in question.pictures
    )
