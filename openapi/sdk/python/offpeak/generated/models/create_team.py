from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateTeam")


@_attrs_define
class CreateTeam:
    """
    Example:
        {'name': 'newsroom', 'weight': 2.0}

    Attributes:
        name (str): One line; no other team has it.
        weight (float | None | Unset): 0.01 to 100; 1 when absent.
    """

    name: str
    weight: float | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        weight: float | None | Unset
        if isinstance(self.weight, Unset):
            weight = UNSET
        else:
            weight = self.weight

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )
        if weight is not UNSET:
            field_dict["weight"] = weight

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name")

        def _parse_weight(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        weight = _parse_weight(d.pop("weight", UNSET))

        create_team = cls(
            name=name,
            weight=weight,
        )

        return create_team
