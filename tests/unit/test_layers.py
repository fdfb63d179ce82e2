"""Imports only go down the layers, and FUSE stays in the two layers that are about it."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[2] / "isomount"
# From the top. `isomount` itself, the library's front door, stands on the level of `image`.
LAYERS = [
    "__main__",
    "cli",
    "daemon",
    "fs",
    "extract",
    "survey",
    "image",
    "tree",
    "formats",
    "blocks",
    "sources",
]
LAYERS += ["damage", "errors", "author"]
MODULES = sorted(ROOT.rglob("*.py"))


def layer_of(module: Path) -> str:
    name = module.relative_to(ROOT).parts[0].removesuffix(".py")
    return "image" if name == "__init__" else name


def imports(module: Path) -> Iterator[str]:
    package = ".".join(["isomount", *module.relative_to(ROOT).parent.parts])
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_every_module_has_a_layer() -> None:
    assert {layer_of(module) for module in MODULES} <= set(LAYERS)


def test_no_import_goes_up() -> None:
    upward = []
    for module in MODULES:
        for name in imports(module):
            top, _, rest = name.partition(".")
            target = rest.partition(".")[0] if rest.partition(".")[0] in LAYERS else "image"
            if top == "isomount" and LAYERS.index(target) < LAYERS.index(layer_of(module)):
                upward.append(f"{module.relative_to(ROOT)} imports {name}")
    assert not upward


def test_only_daemon_and_fs_know_fuse() -> None:
    kernel_side = {"pyfuse3", "trio"}
    users = {
        layer_of(m) for m in MODULES for name in imports(m) if name.split(".")[0] in kernel_side
    }
    assert users <= {"daemon", "fs"}
