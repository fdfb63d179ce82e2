"""``isomount recent``: list the images that were mounted."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from isomount.cli.options.arguments import Parser
from isomount.cli.terminal.output import finish, put
from isomount.state.recent import recent
from isomount.text import one_line

_USAGE = "isomount recent [--json]"
_DESCRIPTION = "List the images that you mounted and that still exist, the most recent first."
_EXAMPLES = """examples:
  isomount recent                                     when, and which
  isomount open "$(isomount recent --json | jq -r '.[0].image')"
"""


def run(words: Sequence[str]) -> int:
    """Run the verb. Returns the exit code; raises IsomountError."""
    flags, _ = parser().parse(words, names_at_most=0)
    images = recent()
    if flags.json:
        plain = [
            {
                "image": one_line(each.image),
                "when": datetime.fromtimestamp(int(each.when), UTC).isoformat(),
            }
            for each in images
        ]
        put(json.dumps(plain, indent=2, ensure_ascii=False))
    else:
        for each in images:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.when))
            put(f"{when}  {one_line(each.image)}")
    finish()
    return 0


def parser() -> Parser:
    """The parser, also for the manual and the shell completions."""
    parser = Parser("isomount recent", _DESCRIPTION, _EXAMPLES, _USAGE)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
