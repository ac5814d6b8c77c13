"""XML from outside, read with nothing that XML can do to its reader.

No document type and so no entities, UTF-8 only, and bounds on bytes, depth, elements and attributes that are
held while reading, not after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from falsework.errors import FalseworkError

__all__ = ["LARGEST", "Element", "read_markup"]

LARGEST = 512 * 1024  # bytes
DEEPEST = 32  # elements within one another; VAST itself has 11
MOST_ELEMENTS = 4_096
MOST_ATTRIBUTES = 64  # of one element


@dataclass
class Element:
    """`name` without its prefix. `text`: all character data directly in it, without space around."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def first(self, *path: str) -> Element | None:
        """The first element down a path of names."""
        found: Element | None = self
        for name in path:
            found = next((one for one in found.children if one.name == name), None) if found else None
        return found

    def every(self, *path: str) -> Iterator[Element]:
        """All elements down a path of names, in the document's order."""
        if not path:
            yield self
            return
        for one in self.children:
            if one.name == path[0]:
                yield from one.every(*path[1:])


class _RefusedError(Exception):
    pass


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS:
            raise _RefusedError(f"has more than {MOST_ELEMENTS} elements")
        if len(self._open) >= DEEPEST:
            raise _RefusedError(f"has more than {DEEPEST} elements within one another")
        if len(attributes) > MOST_ATTRIBUTES:
            raise _RefusedError(f"has an element of more than {MOST_ATTRIBUTES} attributes")
        element = Element(_local(name), {_local(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1][0].children.append(element)
        else:
            self.root = element
        self._open.append((element, []))

    def data(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, _: str) -> None:
        element, texts = self._open.pop()
        element.text = "".join(texts).strip()

    def doctype(self, *_: object) -> None:
        raise _RefusedError("has a document type, and with it might have entities")


def read_markup(body: bytes, *, where: str) -> Element:
    """The root element. Raises `FalseworkError` for what is not well formed, and for what is refused."""
    if len(body) > LARGEST:
        raise _refused(f"is {len(body):,} bytes long, and {LARGEST:,} at most are read", where)
    builder = _Builder()
    parser = expat.ParserCreate("utf-8")  # whatever the document says of itself
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = builder.doctype
    parser.buffer_text = True
    try:
        body.decode("utf-8")
        parser.Parse(body, True)
    except _RefusedError as error:
        raise _refused(str(error), where) from error
    except UnicodeDecodeError as error:
        raise _refused(f"is not UTF-8: byte {error.start} cannot stand there", where) from error
    except expat.ExpatError as error:
        raise _refused(f"is no XML: {error}", where) from error
    if builder.root is None:  # expat has refused it already
        raise _refused("is empty", where)
    return builder.root


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refused(what: str, where: str) -> FalseworkError:
    return FalseworkError(what, where=where, todo="Send VAST 2.0 to 4.2 in UTF-8, without a DOCTYPE.")
