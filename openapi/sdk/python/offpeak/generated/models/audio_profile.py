from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="AudioProfile")


@_attrs_define
class AudioProfile:
    """
    Attributes:
        bitrate_kbps (int): AAC-LC, in kbit/s for all channels together.
        channels (int): 1 or 2.
    """

    bitrate_kbps: int
    channels: int

    def to_dict(self) -> dict[str, Any]:
        bitrate_kbps = self.bitrate_kbps

        channels = self.channels

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "bitrate_kbps": bitrate_kbps,
                "channels": channels,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        bitrate_kbps = d.pop("bitrate_kbps")

        channels = d.pop("channels")

        audio_profile = cls(
            bitrate_kbps=bitrate_kbps,
            channels=channels,
        )

        return audio_profile
