from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.span_holder import SpanHolder


T = TypeVar("T", bound="OpenSpan")


@_attrs_define
class OpenSpan:
    """Segments `[first, last)` of one task that are yet to be made.

    Attributes:
        failed (bool): It failed for good, and so did the job.
        first (int):
        holders (list[SpanHolder]): Who is at it: nobody while it waits, two when a second agent was set beside a slow
            one.
        last (int):
    """

    failed: bool
    first: int
    holders: list[SpanHolder]
    last: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        failed = self.failed

        first = self.first

        holders = []
        for holders_item_data in self.holders:
            holders_item = holders_item_data.to_dict()
            holders.append(holders_item)

        last = self.last

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "failed": failed,
                "first": first,
                "holders": holders,
                "last": last,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.span_holder import SpanHolder

        d = dict(src_dict)
        failed = d.pop("failed")

        first = d.pop("first")

        holders = []
        _holders = d.pop("holders")
        for holders_item_data in _holders:
            holders_item = SpanHolder.from_dict(holders_item_data)

            holders.append(holders_item)

        last = d.pop("last")

        open_span = cls(
            failed=failed,
            first=first,
            holders=holders,
            last=last,
        )

        open_span.additional_properties = d
        return open_span

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
