from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="CloudPrice")


@_attrs_define
class CloudPrice:
    """What a cloud asks for a minute of one video rendition, to compare with.

    Example:
        {'currency': 'USD', 'per_minute': 0.0075}

    Attributes:
        currency (str): Three capital letters (ISO 4217).
        per_minute (float): 0 to 1000.
    """

    currency: str
    per_minute: float

    def to_dict(self) -> dict[str, Any]:
        currency = self.currency

        per_minute = self.per_minute

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "currency": currency,
                "per_minute": per_minute,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        currency = d.pop("currency")

        per_minute = d.pop("per_minute")

        cloud_price = cls(
            currency=currency,
            per_minute=per_minute,
        )

        return cloud_price
