from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Capabilities")


@_attrs_define
class Capabilities:
    """What an engine can do, proven by test encodes at its start.

    Attributes:
        cores (int):
        encoders (list[str]): `libx264`, `aac` …
        engine (str): `0.1.0`: the engine's own version.
        ffmpeg (str): ffmpeg's version and the SHA-256 of its binary: init segments are compared within one build.
        os (str): `linux`, `macos`, `windows`.
        memory_mib (int | Unset): Memory that one lease may use, in MiB: the machine's, less what its person and system
            need, divided by the engine's
            number of leases. 0 is unknown.
    """

    cores: int
    encoders: list[str]
    engine: str
    ffmpeg: str
    os: str
    memory_mib: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cores = self.cores

        encoders = self.encoders

        engine = self.engine

        ffmpeg = self.ffmpeg

        os = self.os

        memory_mib = self.memory_mib

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cores": cores,
                "encoders": encoders,
                "engine": engine,
                "ffmpeg": ffmpeg,
                "os": os,
            }
        )
        if memory_mib is not UNSET:
            field_dict["memory_mib"] = memory_mib

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        cores = d.pop("cores")

        encoders = cast(list[str], d.pop("encoders"))

        engine = d.pop("engine")

        ffmpeg = d.pop("ffmpeg")

        os = d.pop("os")

        memory_mib = d.pop("memory_mib", UNSET)

        capabilities = cls(
            cores=cores,
            encoders=encoders,
            engine=engine,
            ffmpeg=ffmpeg,
            os=os,
            memory_mib=memory_mib,
        )

        capabilities.additional_properties = d
        return capabilities

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
