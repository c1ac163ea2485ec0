from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.upload_address_headers import UploadAddressHeaders


T = TypeVar("T", bound="UploadAddress")


@_attrs_define
class UploadAddress:
    """PUT the object's bytes here, with these headers.

    Attributes:
        expires_in_seconds (int):
        url (str): Absolute, or relative to the server's address.
        headers (UploadAddressHeaders | Unset):
    """

    expires_in_seconds: int
    url: str
    headers: UploadAddressHeaders | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expires_in_seconds = self.expires_in_seconds

        url = self.url

        headers: dict[str, Any] | Unset = UNSET
        if not isinstance(self.headers, Unset):
            headers = self.headers.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expires_in_seconds": expires_in_seconds,
                "url": url,
            }
        )
        if headers is not UNSET:
            field_dict["headers"] = headers

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.upload_address_headers import UploadAddressHeaders

        d = dict(src_dict)
        expires_in_seconds = d.pop("expires_in_seconds")

        url = d.pop("url")

        _headers = d.pop("headers", UNSET)
        headers: UploadAddressHeaders | Unset
        if isinstance(_headers, Unset):
            headers = UNSET
        else:
            headers = UploadAddressHeaders.from_dict(_headers)

        upload_address = cls(
            expires_in_seconds=expires_in_seconds,
            url=url,
            headers=headers,
        )

        upload_address.additional_properties = d
        return upload_address

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
