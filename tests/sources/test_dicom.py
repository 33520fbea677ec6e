"""DICOM: windows by their formulas, and files through pydicom where it is there."""

import pathlib
import sys
import types
from typing import Any

import numpy as np
import pytest
from PIL import Image

from jaxsel.sources.decode import open_rgb
from jaxsel.sources.deep import Counts
from jaxsel.sources.dicom import first_number, read_dicom, shown
from jaxsel.sources.levels import SCAN
from jaxsel.sources.opening import open_source
from jaxsel.sources.refusal import Refused

RAMP = np.arange(-50.0, 150.0).reshape(10, 20)


def test_a_linear_window_is_the_standards_pseudocode() -> None:
    centre, width = 40.0, 100.0
    expected = np.empty(RAMP.shape)
    for place, x in np.ndenumerate(RAMP):  # PS3.3 C.11.2.1.2.1
        if x <= centre - 0.5 - (width - 1) / 2:
            expected[place] = 0
        elif x > centre - 0.5 + (width - 1) / 2:
            expected[place] = 255
        else:
            expected[place] = ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255
    found = shown(RAMP, centre, width, "LINEAR")
    assert np.abs(found - expected).max() <= 0.5


def test_other_windows() -> None:
    exact = shown(RAMP, 40.0, 100.0, "LINEAR_EXACT").astype(float)
    np.testing.assert_allclose(
        exact, np.clip((RAMP - 40) / 100 + 0.5, 0, 1) * 255, atol=0.5
    )
    soft = shown(RAMP, 40.0, 1e-3, "SIGMOID")
    assert soft[RAMP < 40].max() == 0 and soft[RAMP > 40].min() == 255
    assert shown(RAMP, 40.0, 10.0, "SIGMOID")[4, 10] == 128
    step = shown(RAMP, 40.0, 1.0, "LINEAR")
    np.testing.assert_array_equal(step, np.where(RAMP > 39.5, 255, 0))


@pytest.mark.parametrize(
    ("value", "number"),
    [(None, None), (3, 3.0), ("4.5", 4.5), ([7, 8], 7.0), ("", None), ([], None),
     ("nan", None)],
)  # fmt: skip
def test_the_first_of_several_windows(value: Any, number: float | None) -> None:
    assert first_number(value) == number


def test_without_pydicom_the_file_is_listed(
    tmp_path: pathlib.Path, picture: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    (tmp_path / "scan.dcm").write_bytes(b"\0" * 128 + b"DICM")
    picture.save(tmp_path / "a.png")
    source = open_source(tmp_path, progress=False)
    assert source.ids.tolist() == ["a.png"]
    assert source.unreadable[0].id == "scan.dcm"
    assert "pip install 'pydicom>=3'" in source.unreadable[0].reason


class Header(dict[str, Any]):
    """As much of pydicom's data set as is asked for."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def stand_in(
    monkeypatch: pytest.MonkeyPatch, header: dict[str, Any], pixels: np.ndarray
) -> list[bool]:
    """Puts a pydicom in place that reads the given; notes each reading of pixels."""
    decoded: list[bool] = []
    module = types.ModuleType("pydicom")
    module.pixels = types.ModuleType("pydicom.pixels")  # type: ignore[attr-defined]

    def pixel_array(_: Any, index: int) -> np.ndarray:
        assert index == 0
        decoded.append(True)
        return pixels

    module.dcmread = lambda path, **_: Header(header)  # type: ignore[attr-defined]
    module.pixels.pixel_array = pixel_array
    monkeypatch.setitem(sys.modules, "pydicom", module)
    monkeypatch.setitem(sys.modules, "pydicom.pixels", module.pixels)
    return decoded


def test_slope_window_and_inversion(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = np.arange(200, dtype=np.int16).reshape(10, 20)
    header = {
        "Rows": 10, "Columns": 20, "RescaleSlope": 2.0, "RescaleIntercept": -100.0,
        "WindowCenter": [90.0, 0.0], "WindowWidth": [200.0, 1.0],
    }  # fmt: skip
    stand_in(monkeypatch, header, stored)
    found, several = read_dicom(pathlib.Path("x.dcm"))
    assert not several
    grey = shown(stored * 2.0 - 100, 90.0, 200.0, "LINEAR")
    np.testing.assert_array_equal(found, np.repeat(grey[:, :, None], 3, axis=2))
    dark = {**header, "PhotometricInterpretation": "MONOCHROME1"}
    stand_in(monkeypatch, dark, stored)
    np.testing.assert_array_equal(read_dicom(pathlib.Path("x.dcm"))[0], 255 - found)


def test_without_a_window_the_numbers_are_for_the_pools_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = np.arange(200, dtype=np.int16).reshape(10, 20)
    header = {
        "Rows": 10, "Columns": 20, "RescaleSlope": 2.0, "RescaleIntercept": -1024.0,
        "PhotometricInterpretation": "MONOCHROME1", "NumberOfFrames": "30",
    }  # fmt: skip
    for window in ({}, {"WindowCenter": 40.0, "WindowWidth": 0.0}):
        stand_in(monkeypatch, {**header, **window}, stored)
        counts, several = read_dicom(pathlib.Path("x.dcm"))
        assert isinstance(counts, Counts) and several
        assert (counts.kind, counts.inverted) == (SCAN, True)
        np.testing.assert_array_equal(counts.values, stored * 2.0 - 1024)
    # Of 8 bits, and nothing to rescale: as they are.
    stand_in(monkeypatch, {"Rows": 10, "Columns": 20}, stored.astype(np.uint8))
    np.testing.assert_array_equal(
        read_dicom(pathlib.Path("x.dcm"))[0],
        np.repeat(stored.astype(np.uint8)[:, :, None], 3, axis=2),
    )


def test_what_of_dicom_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    small = {"Rows": 2, "Columns": 2}
    grey = np.zeros((2, 2), np.uint8)
    deep = np.zeros((2, 2, 3), np.uint16)
    for header, pixels, reason in (
        ({"Rows": 2}, grey, "without an image"),
        ({"Rows": 20_000, "Columns": 20_000}, grey, "400,000,000 pixels"),
        ({**small, "PhotometricInterpretation": "PALETTE COLOR"}, grey, "palette"),
        (small, deep, "more than 8 bits"),
    ):
        decoded = stand_in(monkeypatch, header, pixels)
        with pytest.raises(Refused, match=reason):
            read_dicom(pathlib.Path("x.dcm"))
        assert decoded == ([True] if pixels is deep else [])


def test_a_real_file(tmp_path: pathlib.Path) -> None:
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import Dataset, FileMetaDataset

    stored = (np.arange(3 * 64, dtype=np.int16).reshape(3, 8, 8) * 5) - 100
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1"
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    data.Rows, data.Columns, data.NumberOfFrames = 8, 8, 3
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, 1
    data.WindowCenter, data.WindowWidth = [60, 1], [300, 2]
    data.PixelData = stored.tobytes()
    data.save_as(tmp_path / "1.2.3", enforce_file_format=True)
    (tmp_path / "broken.dcm").write_bytes((tmp_path / "1.2.3").read_bytes()[:400])
    source = open_source(tmp_path, progress=False)
    assert source.ids.tolist() == ["1.2.3"]
    assert [entry.id for entry in source.unreadable] == ["broken.dcm"]
    expected = shown(stored[0].astype(float), 60.0, 300.0, "LINEAR")
    assert source.paths is not None
    np.testing.assert_array_equal(
        np.asarray(open_rgb(source.paths[0]))[..., 0], expected
    )
