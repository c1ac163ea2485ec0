from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.rendition_kind import RenditionKind

if TYPE_CHECKING:
    from ..models.made_run import MadeRun
    from ..models.open_span import OpenSpan


T = TypeVar("T", bound="MapTrack")


@_attrs_define
class MapTrack:
    """
    Attributes:
        kind (RenditionKind):
        made (list[MadeRun]): What is committed, front to back.
        open_ (list[OpenSpan]): What is not, front to back.
        renditions (list[str]): Their ids, in the plan's order.
        segments_total (int): As planned or, at the end, true.
    """

    kind: RenditionKind
    made: list[MadeRun]
    open_: list[OpenSpan]
    renditions: list[str]
    segments_total: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        kind = self.kind.value

        made = []
        for made_item_data in self.made:
            made_item = made_item_data.to_dict()
            made.append(made_item)

        open_ = []
        for open_item_data in self.open_:
            open_item = open_item_data.to_dict()
            open_.append(open_item)

        renditions = self.renditions

        segments_total = self.segments_total

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "kind": kind,
                "made": made,
                "open": open_,
                "renditions": renditions,
                "segments_total": segments_total,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.made_run import MadeRun
        from ..models.open_span import OpenSpan

        d = dict(src_dict)
        kind = RenditionKind(d.pop("kind"))

        made = []
        _made = d.pop("made")
        for made_item_data in _made:
            made_item = MadeRun.from_dict(made_item_data)

            made.append(made_item)

        open_ = []
        _open_ = d.pop("open")
        for open_item_data in _open_:
            open_item = OpenSpan.from_dict(open_item_data)

            open_.append(open_item)

        renditions = cast(list[str], d.pop("renditions"))

        segments_total = d.pop("segments_total")

        map_track = cls(
            kind=kind,
            made=made,
            open_=open_,
            renditions=renditions,
            segments_total=segments_total,
        )

        map_track.additional_properties = d
        return map_track

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
