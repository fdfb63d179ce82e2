"""Descriptor tags: whether a block holds the expected descriptor (ECMA-167 3/7.2)."""

import enum
from binascii import crc_hqx
from collections.abc import Container

from isomount.formats.udf.structures import TAG


class Soundness(enum.IntEnum):
    """How far a descriptor can be trusted.

    TOLERABLE means that the identifier and only one of checksum and CRC are correct: some writers
    compute the other wrongly.
    """

    BAD = 0
    TOLERABLE = 1
    SOUND = 2


def soundness(data: bytes, identifiers: Container[int]) -> Soundness:
    """Check the descriptor at the start of ``data`` (3/7.2), which should be of ``identifiers``.

    The CRC is that of ITU-T V.41, the checksum is the sum of the tag's other bytes.
    """
    if len(data) < TAG.size:
        return Soundness.BAD
    tag = TAG.parse(data)
    if tag.identifier not in identifiers:
        return Soundness.BAD
    end = 16 + tag.crc_length
    crc_right = end <= len(data) and crc_hqx(data[16:end], 0) == tag.crc
    checksum_right = (sum(data[:16]) - data[4]) & 0xFF == tag.checksum
    return Soundness(crc_right + checksum_right)
