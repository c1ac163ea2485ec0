from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AudioFacts")


@_attrs_define
class AudioFacts:
    """
    Attributes:
        channels (int):
        codec (str):
        end_seconds (float):
        sample_rate (int):
        start_seconds (float):
        stream (int):
        language (None | str | Unset): RFC 5646 tag or ISO 639-2 code, as the file has it.
    """

    channels: int
    codec: str
    end_seconds: float
    sample_rate: int
    start_seconds: float
    stream: int
    language: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        channels = self.channels

        codec = self.codec

        end_seconds = self.end_seconds

        sample_rate = self.sample_rate

        start_seconds = self.start_seconds

        stream = self.stream

        language: None | str | Unset
        if isinstance(self.language, Unset):
            language = UNSET
        else:
            language = self.language

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "channels": channels,
                "codec": codec,
                "end_seconds": end_seconds,
                "sample_rate": sample_rate,
                "start_seconds": start_seconds,
                "stream": stream,
            }
        )
        if language is not UNSET:
            field_dict["language"] = language

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        channels = d.pop("channels")

        codec = d.pop("codec")

        end_seconds = d.pop("end_seconds")

        sample_rate = d.pop("sample_rate")

        start_seconds = d.pop("start_seconds")

        stream = d.pop("stream")

        def _parse_language(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        language = _parse_language(d.pop("language", UNSET))

        audio_facts = cls(
            channels=channels,
            codec=codec,
            end_seconds=end_seconds,
            sample_rate=sample_rate,
            start_seconds=start_seconds,
            stream=stream,
            language=language,
        )

        audio_facts.additional_properties = d
        return audio_facts

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
