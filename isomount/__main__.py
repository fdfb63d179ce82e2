"""``python -m isomount`` is the command ``isomount``."""

import sys

from isomount.cli import main

if __name__ == "__main__":
    sys.exit(main())
