"""The identifiers and dates that a volume records about itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """The identifiers of one volume descriptor; "" if not recorded.

    ``structure`` is the kind of volume ("ISO 9660", "Joliet", "UDF"...). ``size`` is where the
    volume ends, in bytes from the start of the image, 0 if unknown. Times are nanoseconds since
    1970, None if not recorded.
    """

    structure: str
    label: str
    size: int = 0
    volume_set: str = ""
    system: str = ""
    publisher: str = ""
    preparer: str = ""
    application: str = ""
    copyright_file: str = ""
    abstract_file: str = ""
    bibliography_file: str = ""
    created_ns: int | None = None
    modified_ns: int | None = None
    expires_ns: int | None = None
    effective_ns: int | None = None


# Authoring tools by the text that they leave in identifiers. The first match counts, so tools that
# others are based on come last. A group in a pattern is the version.
_TOOLS = (
    (r"xorriso[ -](\d[\d.]*)", "xorriso"),
    (r"pycdlib", "pycdlib"),
    (r"imgburn(?: v?(\d[\d.]*))?", "ImgBurn"),
    (r"ultraiso(?: v?(\d[\d.]*))?", "UltraISO"),
    (r"poweriso(?: v?(\d[\d.]*))?", "PowerISO"),
    (r"magiciso(?: v?(\d[\d.]*))?", "MagicISO"),
    (r"winiso", "WinISO"),
    (r"anyburn", "AnyBurn"),
    (r"cdburnerxp", "CDBurnerXP"),
    (r"infrarecorder(?: v?(\d[\d.]*))?", "InfraRecorder"),
    (r"k3b(?:.{0,24}?version (\d[\d.]*))?", "K3b"),
    (r"brasero[ -]*(\d[\d.]*)?", "Brasero"),
    (r"nero(?: - burning rom)?(?: v?(\d[\d.]*))?", "Nero"),
    (r"ahead software", "Nero"),
    (r"toast", "Toast"),
    (r"roxio|easy cd creator|adaptec|directcd", "Roxio or Adaptec"),
    (r"discutils", "DiscUtils"),
    (r"oscdimg(?: v?(\d[\d.]*))?", "oscdimg"),
    (r"cdimage(?: v?(\d[\d.]*))?", "Microsoft CDIMAGE"),
    (r"imapi", "Windows (IMAPI)"),
    (r"microsoft|\*win udf|\bms udf", "Windows"),
    (r"apple|mac os x|hdiutil", "macOS"),
    (r"libarchive(?: v?(\d[\d.]*))?", "libarchive (bsdtar)"),
    (r"linux udffs|udftools|mkudffs", "mkudffs (udftools)"),
    (r"udfclient|netbsd|13thmonkey|\*udfclient", "UDFclient"),
    (r"libisofs[ -]*(\d[\d.]*)?", "libisofs"),
    (r"genisoimage(?: (\d[\d.]*))?", "genisoimage"),
    (r"mkhybrid", "mkhybrid"),
    (r"mkisofs(?: v?(\d[\w.]*))?", "mkisofs"),
)


def authoring_tool(identities: Iterable[Identity]) -> str:
    """The program that wrote the image, "" if the identifiers do not tell."""
    text = "\n".join(
        field
        for each in identities
        for field in (each.application, each.preparer, each.system, each.publisher)
    )
    for pattern, name in _TOOLS:
        found = re.search(pattern, text, re.IGNORECASE)
        if found is not None:
            version = found[1] if found.re.groups and found[1] else ""
            return f"{name} {version.rstrip('.')}".strip()
    return ""
