from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.output_file import OutputFile


T = TypeVar("T", bound="Outputs")


@_attrs_define
class Outputs:
    """Addresses of what came out; absolute.

    Attributes:
        dash (None | str | Unset): DASH manifest, from `playable_at` on.
        files (list[OutputFile] | Unset):
        hls (None | str | Unset): HLS multivariant playlist, from `playable_at` on.
        watch (None | str | Unset): The player page.
    """

    dash: None | str | Unset = UNSET
    files: list[OutputFile] | Unset = UNSET
    hls: None | str | Unset = UNSET
    watch: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        dash: None | str | Unset
        if isinstance(self.dash, Unset):
            dash = UNSET
        else:
            dash = self.dash

        files: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.files, Unset):
            files = []
            for files_item_data in self.files:
                files_item = files_item_data.to_dict()
                files.append(files_item)

        hls: None | str | Unset
        if isinstance(self.hls, Unset):
            hls = UNSET
        else:
            hls = self.hls

        watch: None | str | Unset
        if isinstance(self.watch, Unset):
            watch = UNSET
        else:
            watch = self.watch

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if dash is not UNSET:
            field_dict["dash"] = dash
        if files is not UNSET:
            field_dict["files"] = files
        if hls is not UNSET:
            field_dict["hls"] = hls
        if watch is not UNSET:
            field_dict["watch"] = watch

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.output_file import OutputFile

        d = dict(src_dict)

        def _parse_dash(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        dash = _parse_dash(d.pop("dash", UNSET))

        _files = d.pop("files", UNSET)
        files: list[OutputFile] | Unset = UNSET
        if _files is not UNSET:
            files = []
            for files_item_data in _files:
                files_item = OutputFile.from_dict(files_item_data)

                files.append(files_item)

        def _parse_hls(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        hls = _parse_hls(d.pop("hls", UNSET))

        def _parse_watch(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        watch = _parse_watch(d.pop("watch", UNSET))

        outputs = cls(
            dash=dash,
            files=files,
            hls=hls,
            watch=watch,
        )

        outputs.additional_properties = d
        return outputs

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
