"""Parts that both versions of QTI share: elements, HTML, and the manifest of an archive."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from lxml import etree

from ..formats import Question

PICTURE_FOLDER = "pictures"
_CONTENT_PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
# Attributes that QTI allows in XHTML; not the alignment of columns, the start of a list and titles.
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "code": {"class"}}
_LEARNING_OBJECT = "http://www.imsglobal.org/xsd/imsmd_v1p2"


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


def picture_html(question: Question, folder: str) -> str:
    """Return the pictures of a question as XHTML, one paragraph each."""
    return "".join(
        f'<p><img src="{escape(folder + picture.name)}" alt="{escape(picture.alt)}" /></p>'
        for picture in question.pictures
    )


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
        resources: What the archive contains.
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
