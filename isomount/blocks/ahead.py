"""How far to read ahead: only for who reads in order, and the farther the longer they do."""

import threading
from collections import OrderedDict

# Streams remembered: as many files may be read at the same time.
_STREAMS_AT_MOST = 16


class ReadAhead:
    """Remembers where loads ended: one that begins there goes on with a stream. Thread-safe."""

    def __init__(self, at_most: int) -> None:
        """``at_most`` is the largest number of blocks to load ahead."""
        self._at_most = at_most
        self._lock = threading.Lock()
        # The block after each latest load, and how many to load ahead when that is asked for.
        self._streams: OrderedDict[int, int] = OrderedDict()

    def beyond(self, load: range) -> int:
        """How many blocks after the blocks of ``load`` are worth loading with them.

        None for a first load, as many again for the next one, and twice as many each time.
        """
        with self._lock:
            ahead = min(self._streams.pop(load.start, 0), self._at_most)
            self._streams[load.stop + ahead] = max(2 * ahead, len(load))
            if len(self._streams) > _STREAMS_AT_MOST:
                self._streams.popitem(last=False)
            return ahead


class Stream:
    """Somebody who reads in order: the block that they have come to, and where loads end."""

    __slots__ = ("distance", "end", "loads", "reached")

    def __init__(self, reached: int) -> None:
        self.reached = self.end = reached
        # How many blocks to be ahead, and how many loads for that are under way.
        self.distance = self.loads = 0


class Streams:
    """What to load while others go on: each load for at most ``load`` blocks. Thread-safe.

    A stream is followed by ``at_once`` loads at a time, first as far ahead as it reads at once,
    then twice as far each time, up to ``at_most`` blocks.
    """

    def __init__(self, at_most: int, load: int, at_once: int) -> None:
        self._at_most = at_most
        self._load = load
        self._at_once = at_once
        self._lock = threading.Lock()
        self._streams: list[Stream] = []  # the latest first

    def reads(self, numbers: range) -> tuple[Stream, list[range]]:
        """Somebody reads these blocks: whose stream that is, and the loads to begin for it now.

        Each is to be followed by ``next`` when it is done, or by ``put_off``.
        """
        with self._lock:
            stream = self._of(numbers)
            loads: list[range] = []
            while (load := self._due(stream)) is not None:
                loads.append(load)
            if loads:
                stream.distance = min(2 * stream.distance, self._at_most)
            return stream, loads

    def next(self, stream: Stream) -> range | None:
        """A load of ``stream`` is done: the one to go on with, if there is any."""
        with self._lock:
            stream.loads -= 1
            return self._due(stream)

    def put_off(self, stream: Stream, load: range) -> None:
        """A load could not begin: it is due again at the next read."""
        with self._lock:
            stream.loads -= 1
            stream.end = max(stream.reached, min(stream.end, load.start))

    def _of(self, numbers: range) -> Stream:
        for index, stream in enumerate(self._streams):
            # Requests overtake each other: once it is one, a stream has room on either side.
            room = min(stream.distance, self._load)
            if stream.reached - room <= numbers.start <= stream.end + room:
                if index:
                    self._streams.insert(0, self._streams.pop(index))
                if numbers.stop > stream.reached:  # who stays where they are reads nothing ahead
                    stream.distance = max(stream.distance, min(len(numbers), self._at_most))
                stream.reached = max(stream.reached, numbers.stop)
                stream.end = max(stream.end, stream.reached)
                return stream
        stream = Stream(numbers.stop)
        self._streams.insert(0, stream)
        del self._streams[_STREAMS_AT_MOST:]
        return stream

    def _due(self, stream: Stream) -> range | None:
        """The next load, if it is large enough: half of what was ahead is used."""
        missing = stream.reached + stream.distance - stream.end
        if stream.loads >= self._at_once or missing < max(1, min(self._load, stream.distance // 2)):
            return None
        start, stream.end = stream.end, stream.end + min(missing, self._load)
        stream.loads += 1
        return range(start, stream.end)
