from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.enrolment_code import EnrolmentCode


T = TypeVar("T", bound="EnrolmentCodeList")


@_attrs_define
class EnrolmentCodeList:
    """
    Attributes:
        enrolment_codes (list[EnrolmentCode]): Those that can still be used, youngest first.
    """

    enrolment_codes: list[EnrolmentCode]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        enrolment_codes = []
        for enrolment_codes_item_data in self.enrolment_codes:
            enrolment_codes_item = enrolment_codes_item_data.to_dict()
            enrolment_codes.append(enrolment_codes_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "enrolment_codes": enrolment_codes,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.enrolment_code import EnrolmentCode

        d = dict(src_dict)
        enrolment_codes = []
        _enrolment_codes = d.pop("enrolment_codes")
        for enrolment_codes_item_data in _enrolment_codes:
            enrolment_codes_item = EnrolmentCode.from_dict(enrolment_codes_item_data)

            enrolment_codes.append(enrolment_codes_item)

        enrolment_code_list = cls(
            enrolment_codes=enrolment_codes,
        )

        enrolment_code_list.additional_properties = d
        return enrolment_code_list

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
