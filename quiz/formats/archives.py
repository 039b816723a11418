"""XML files, and zip archives with their manifest, as learning platforms exchange them.

They are read with limits: no document type, no external entity, no network, bounded sizes.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from ..formats import InterchangeError

MAX_FILES = 5000
MAX_TOTAL_BYTES = 100_000_000
_DATE = (2026, 1, 1, 0, 0, 0)  # the same content always gives the same archive
_CONTENT_PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
# Attributes that QTI allows in XHTML; not the alignment of columns, the start of a list and titles.
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "code": {"class"}}
_LEARNING_OBJECT = "http://www.imsglobal.org/xsd/imsmd_v1p2"


def parse_xml(data: bytes) -> etree._Element:
    """Return the root of an XML file, without comments.

    Raises:
        InterchangeError: If the file is empty, is not XML, or declares a document type.
    """
    if not data.strip():
        raise InterchangeError("the file is empty")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise InterchangeError(f"the file is not XML: {error.msg}") from error
    # Entities defined in a document type can exhaust memory or read local files.
    if root.getroottree().docinfo.internalDTD is not None:
        raise InterchangeError("the file declares a document type (DOCTYPE), which the exports of platforms never do")
    return root


def line_number(element: etree._Element) -> int:
    """Return the line of an element in its file."""
    line: Any = element.sourceline
    return int(line or 0)


def local_name(element: etree._Element) -> str:
    """Return the tag of an element without its namespace; empty for an entity."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def all_text(element: etree._Element) -> str:
    """Return the text of an element and of all elements within, without spaces at its ends."""
    return "".join(map(str, element.itertext())).strip()


def new_root(name: str, namespace: str, **attributes: str) -> etree._Element:
    """Return the first element of a file, with its namespace as the default one."""
    prefixes: Any = {None: namespace}
    return etree.Element(f"{{{namespace}}}{name}", attributes, prefixes)


def add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    """Append an element in the namespace of its parent."""
    namespace = etree.QName(parent).namespace
    return etree.SubElement(parent, f"{{{namespace}}}{name}" if namespace else name, attributes)


def add_html(parent: etree._Element, name: str, html: str, **attributes: str) -> etree._Element:
    """Append an element with XHTML as its content, in the namespace of the parent; what QTI lacks is left out."""
    element = add(parent, name, **attributes)
    content = etree.fromstring(f'<x xmlns="{etree.QName(parent).namespace}">{html}</x>')
    for part in content.iter():
        for other in set(part.attrib) - _ATTRIBUTES.get(etree.QName(part).localname, set()):
            del part.attrib[other]
        if etree.QName(part).localname == "table" and len(part) == 1:  # a header alone
            part[0].tag = f"{{{etree.QName(part).namespace}}}tbody"
    element.text = content.text
    element.extend(list(content))
    return element


def is_archive(data: bytes) -> bool:
    """Return whether a file is a zip archive."""
    return data[:2] == b"PK"


def read_archive(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip archive by name.

    Raises:
        InterchangeError: If it is damaged, encrypted, or has too many or too large files.
    """
    files: dict[str, bytes] = {}
    left = MAX_TOTAL_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if len(entries) > MAX_FILES:
                raise InterchangeError(f"the archive has more than {MAX_FILES} files")
            for entry in entries:
                with archive.open(entry) as file:
                    content = file.read(left + 1)  # the size in the header may be wrong
                left -= len(content)
                if left < 0:
                    raise InterchangeError(f"the archive unpacks to more than {MAX_TOTAL_BYTES // 1_000_000} MB")
                files[entry.filename] = content
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
        raise InterchangeError(f"the archive cannot be read: {error}") from error
    return files


def write_archive(files: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of files by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@dataclass(frozen=True)
class Resource:
    """An entry of a manifest.

    Attributes:
        kind: Type of the resource.
        files: Names of its files, the main one first.
        keywords: Words about it.
    """

    kind: str
    files: tuple[str, ...]
    keywords: tuple[str, ...] = ()


def write_manifest(resources: Iterable[Resource], schema: str, version: str) -> bytes:
    """Return the manifest of an archive.

    Args:
        resources: The contents of the archive.
        schema: Name of the schema.
        version: Version of the schema.
    """
    root = new_root("manifest", _CONTENT_PACKAGE, identifier="quiz-manifest")
    metadata = add(root, "metadata")
    add(metadata, "schema").text = schema
    add(metadata, "schemaversion").text = version
    add(root, "organizations")
    listed = add(root, "resources")
    for number, entry in enumerate(resources, 1):
        resource = add(listed, "resource", identifier=f"resource{number}", type=entry.kind, href=entry.files[0])
        if entry.keywords:
            lom = etree.SubElement(add(resource, "metadata"), f"{{{_LEARNING_OBJECT}}}lom")
            general = add(lom, "general")
            for word in entry.keywords:
                add(add(general, "keyword"), "langstring").text = word
        for name in entry.files:
            add(resource, "file", href=name)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
