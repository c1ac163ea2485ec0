from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.sandbox_report import SandboxReport


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
        sandbox (None | SandboxReport | Unset):
    """

    cores: int
    encoders: list[str]
    engine: str
    ffmpeg: str
    os: str
    memory_mib: int | Unset = UNSET
    sandbox: None | SandboxReport | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.sandbox_report import SandboxReport

        cores = self.cores

        encoders = self.encoders

        engine = self.engine

        ffmpeg = self.ffmpeg

        os = self.os

        memory_mib = self.memory_mib

        sandbox: dict[str, Any] | None | Unset
        if isinstance(self.sandbox, Unset):
            sandbox = UNSET
        elif isinstance(self.sandbox, SandboxReport):
            sandbox = self.sandbox.to_dict()
        else:
            sandbox = self.sandbox

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
        if sandbox is not UNSET:
            field_dict["sandbox"] = sandbox

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.sandbox_report import SandboxReport

        d = dict(src_dict)
        cores = d.pop("cores")

        encoders = cast(list[str], d.pop("encoders"))

        engine = d.pop("engine")

        ffmpeg = d.pop("ffmpeg")

        os = d.pop("os")

        memory_mib = d.pop("memory_mib", UNSET)

        def _parse_sandbox(data: object) -> None | SandboxReport | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                sandbox_type_0 = SandboxReport.from_dict(data)

                return sandbox_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SandboxReport | Unset, data)

        sandbox = _parse_sandbox(d.pop("sandbox", UNSET))

        capabilities = cls(
            cores=cores,
            encoders=encoders,
            engine=engine,
            ffmpeg=ffmpeg,
            os=os,
            memory_mib=memory_mib,
            sandbox=sandbox,
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
