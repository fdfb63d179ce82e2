"""Imports only go down the layers, FUSE stays in the two layers that are about it, and the library
needs nothing but Python."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[2] / "isomount"
# From the top; the same as the drawing in docs/architecture.md.
LAYERS = (
    "cli",
    "daemon",
    "state",
    "desktop",
    "mounting",
    "fs",
    "write",
    "library",
    "extract",
    "tree",
    "formats",
    "containers",
    "blocks",
    "sources",
    "ground",
)
# Modules that are in no room of their own.
MODULES = {
    "__main__": "cli",
    "__init__": "library",
    "image": "library",
    "path": "library",
    "file": "library",
    "options": "library",
    "locate": "library",
    "owners": "library",
    "values": "library",
    "survey": "library",
    "codecs": "ground",
    "damage": "ground",
    "errors": "ground",
    "programs": "ground",
    "room": "ground",
    "text": "ground",
    "workers": "ground",
}
SOURCES = sorted(ROOT.rglob("*.py"))


def layer_of(name: str) -> str:
    """The layer of the dotted ``name``, which is below ``isomount``."""
    top = name.split(".")[1] if "." in name else "__init__"
    if top in MODULES:
        return MODULES[top]
    return top if top in LAYERS else "library"  # a name out of isomount/__init__.py


def name_of(module: Path) -> str:
    return ".".join(["isomount", *module.relative_to(ROOT).with_suffix("").parts])


def imports(module: Path) -> Iterator[str]:
    """Whatever it imports, also within a function, by name, or for type checkers alone."""
    package = ".".join(["isomount", *module.relative_to(ROOT).parent.parts])
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            yield from _named(node.args[0])


def _named(argument: ast.expr) -> Iterator[str]:
    """What import_module is given, as far as it is written there: f"isomount.cli.verbs.{verb}"."""
    first = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
    if isinstance(first, ast.Constant):
        yield str(first.value)


def test_every_module_has_a_layer() -> None:
    rooms = {module.relative_to(ROOT).parts[0].removesuffix(".py") for module in SOURCES}
    assert rooms <= {*LAYERS, *MODULES}


def test_no_import_goes_up() -> None:
    upward = []
    for module in SOURCES:
        layer = layer_of(name_of(module))
        for name in imports(module):
            ours = name.split(".")[0] == "isomount"
            if ours and LAYERS.index(layer_of(name)) < LAYERS.index(layer):
                upward.append(f"{module.relative_to(ROOT)} imports {name}")
    assert not upward


def test_the_command_reads_images_by_the_library_and_the_tree_alone() -> None:
    below = {"formats", "blocks", "sources"}
    passed = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in SOURCES
        if layer_of(name_of(module)) in ("cli", "desktop")
        for name in imports(module)
        if name.startswith("isomount.") and layer_of(name) in below
    ]
    assert not passed


def test_a_lazy_import_is_seen(tmp_path: Path) -> None:
    module = ROOT / "cli" / "__init__.py"
    assert any(name.startswith("isomount.cli.verbs") for name in imports(module))
    assert "isomount.daemon.life.serve" in set(imports(ROOT / "daemon" / "launch.py"))


def test_only_daemon_and_fs_know_fuse() -> None:
    kernel_side = {"pyfuse3", "trio"}
    users = {
        layer_of(name_of(module))
        for module in SOURCES
        for name in imports(module)
        if name.split(".")[0] in kernel_side
    }
    assert users == {"daemon", "fs"}


def test_the_library_needs_nothing_but_python() -> None:
    library = LAYERS[LAYERS.index("library") :]
    foreign = {
        f"{module.relative_to(ROOT)} imports {name}"
        for module in SOURCES
        if layer_of(name_of(module)) in library
        for name in imports(module)
        if name.split(".")[0] not in {"isomount", *sys.stdlib_module_names}
    }
    # Named where a file needs them: a fast checksum, libarchive, and what reads FLAC and EWF.
    archive = "containers/archives/libarchive.py imports libarchive"
    assert foreign <= {
        "codecs.py imports fastcrc",
        *(archive, f"{archive}.ffi"),
        "containers/packed/chd/flac.py imports soundfile",
        "containers/packed/ewf.py imports pyewf",
    }
