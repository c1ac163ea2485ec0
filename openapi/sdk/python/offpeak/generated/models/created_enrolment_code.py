from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.enrolment_code import EnrolmentCode


T = TypeVar("T", bound="CreatedEnrolmentCode")


@_attrs_define
class CreatedEnrolmentCode:
    """A new code, which is told this once and kept nowhere.

    Attributes:
        code (str): For `offpeak-agent enrol` or `OFFPEAK_ENROL_CODE`. Example: ofe_abcdefghijklmnopqrstuvwxyz234567.
        enrolment_code (EnrolmentCode): A code with which machines enrol, without the code itself. Example:
            {'created_at': '2026-11-25T08:00:00Z', 'expires_at': '2026-11-26T08:00:00Z', 'group':
            'grp_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'id': 'token_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'name': 'third floor', 'uses_left':
            12}.
        link (None | str | Unset): The same with the server's address and, where machines need it, the fingerprint of
            its certificate: all that the tray app,
            `offpeak-agent enrol` or `OFFPEAK_ENROL_CODE` ask for. Absent when the server does not know under which address
            machines
            find it (`OFFPEAK_PUBLIC_URL`). Example: offpeak://farm.example.com/ofe_abcdefghijklmnopqrstuvwxyz234567.
    """

    code: str
    enrolment_code: EnrolmentCode
    link: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        enrolment_code = self.enrolment_code.to_dict()

        link: None | str | Unset
        if isinstance(self.link, Unset):
            link = UNSET
        else:
            link = self.link

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "enrolment_code": enrolment_code,
            }
        )
        if link is not UNSET:
            field_dict["link"] = link

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.enrolment_code import EnrolmentCode

        d = dict(src_dict)
        code = d.pop("code")

        enrolment_code = EnrolmentCode.from_dict(d.pop("enrolment_code"))

        def _parse_link(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        link = _parse_link(d.pop("link", UNSET))

        created_enrolment_code = cls(
            code=code,
            enrolment_code=enrolment_code,
            link=link,
        )

        created_enrolment_code.additional_properties = d
        return created_enrolment_code

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
