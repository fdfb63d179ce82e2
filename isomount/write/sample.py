"""The sample image of the demo.

``python -m isomount.write.sample PATH`` writes it to ``PATH`` and prints the SHA-256 of each of its
files in the form that ``sha256sum -c`` reads.
"""

import argparse
import hashlib
import os
import random

from isomount.write.author import File, Symlink, TreeEntry, write_image


def sample_tree() -> dict[str, TreeEntry]:
    """The sample: each entry covers a case that some readers get wrong."""
    numbers = random.Random("isomount")
    deep = "deep/" + "/".join(str(level) for level in range(2, 13))
    return {
        "README.txt": File(b"A sample image, written by isomount.write.sample.\n"),
        "link-to-readme": Symlink("README.txt"),
        "large.bin": File(numbers.randbytes(5 * 1024 * 1024 + 123)),  # not a multiple of a block
        "empty": File(b""),
        "bin/run me.sh": File(b"#!/bin/sh\necho hello\n", mode=0o755),
        "Grüße/日本語.txt": File("Umlaute und 漢字\n".encode()),
        f"{deep}/bottom.txt": File(b"Twelve levels down; ECMA-119 allows eight.\n"),
    }


def write_sample(target: str | os.PathLike[str]) -> dict[str, str]:
    """Write the sample image and return the SHA-256 of each of its files by path."""
    tree = sample_tree()
    write_image(target, tree, label="SAMPLE")
    return {
        path: hashlib.sha256(entry.data).hexdigest()
        for path, entry in tree.items()
        if isinstance(entry, File)
    }


def main() -> None:
    """Write the sample to the path on the command line and print its checksums."""
    parser = argparse.ArgumentParser(
        prog="python -m isomount.write.sample",
        description="Write a small sample image and print the SHA-256 of its files.",
    )
    parser.add_argument("path", help="the image to write")
    for path, digest in write_sample(parser.parse_args().path).items():
        print(f"{digest}  {path}")


if __name__ == "__main__":
    main()
