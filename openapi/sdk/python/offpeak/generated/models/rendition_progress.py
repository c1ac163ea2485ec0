from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rendition_kind import RenditionKind
from ..types import UNSET, Unset

T = TypeVar("T", bound="RenditionProgress")


@_attrs_define
class RenditionProgress:
    """
    Attributes:
        bytes_ (int):
        frames_done (int): Video frames committed (AAC frames for audio). Neither this nor `segments_done` and `bytes`
            go back when the rendition has
            to begin again.
        id (str):
        kind (RenditionKind):
        segments_done (int):
        segments_total (int):
        frames_total (int | Unset): Of the whole rendition: planned or, at the end, true.
        height (int | None | Unset):
        width (int | None | Unset):
    """

    bytes_: int
    frames_done: int
    id: str
    kind: RenditionKind
    segments_done: int
    segments_total: int
    frames_total: int | Unset = UNSET
    height: int | None | Unset = UNSET
    width: int | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        bytes_ = self.bytes_

        frames_done = self.frames_done

        id = self.id

        kind = self.kind.value

        segments_done = self.segments_done

        segments_total = self.segments_total

        frames_total = self.frames_total

        height: int | None | Unset
        if isinstance(self.height, Unset):
            height = UNSET
        else:
            height = self.height

        width: int | None | Unset
        if isinstance(self.width, Unset):
            width = UNSET
        else:
            width = self.width

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "bytes": bytes_,
                "frames_done": frames_done,
                "id": id,
                "kind": kind,
                "segments_done": segments_done,
                "segments_total": segments_total,
            }
        )
        if frames_total is not UNSET:
            field_dict["frames_total"] = frames_total
        if height is not UNSET:
            field_dict["height"] = height
        if width is not UNSET:
            field_dict["width"] = width

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        bytes_ = d.pop("bytes")

        frames_done = d.pop("frames_done")

        id = d.pop("id")

        kind = RenditionKind(d.pop("kind"))

        segments_done = d.pop("segments_done")

        segments_total = d.pop("segments_total")

        frames_total = d.pop("frames_total", UNSET)

        def _parse_height(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        height = _parse_height(d.pop("height", UNSET))

        def _parse_width(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        width = _parse_width(d.pop("width", UNSET))

        rendition_progress = cls(
            bytes_=bytes_,
            frames_done=frames_done,
            id=id,
            kind=kind,
            segments_done=segments_done,
            segments_total=segments_total,
            frames_total=frames_total,
            height=height,
            width=width,
        )

        rendition_progress.additional_properties = d
        return rendition_progress

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
