"""What belongs to this computer rather than to a study: interpreter, device, last model, columns.

Kept in the application's settings, so that a scene opened on another computer does not bring a
path or a graphics card along that is not there.
"""

from __future__ import annotations

import qt

GROUP = "PETAnomaly"
DEFAULT_DEVICE = "auto"
NEVER_CHOSEN = "-"


class Settings:
    """Typed access to the application settings of this extension."""

    @property
    def interpreter(self) -> str:
        """Path of the Python that runs the engine; empty for this Slicer's own."""
        return self._read("Interpreter", "")

    @interpreter.setter
    def interpreter(self, path: str) -> None:
        self._write("Interpreter", path)

    @property
    def device(self) -> str:
        """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
        return self._read("Device", DEFAULT_DEVICE)

    @device.setter
    def device(self, device: str) -> None:
        self._write("Device", device)

    @property
    def model(self) -> str:
        """Name of the bundle used last; empty when there was none."""
        return self._read("Model", "")

    @model.setter
    def model(self, name: str) -> None:
        self._write("Model", name)

    @property
    def bySsh(self) -> bool:
        """Detections run on another computer."""
        return self._read("BySsh", "") == "yes"

    @bySsh.setter
    def bySsh(self, chosen: bool) -> None:
        self._write("BySsh", "yes" if chosen else "")

    @property
    def host(self) -> str:
        """The other computer, as ssh knows it."""
        return self._read("Host", "")

    @host.setter
    def host(self, name: str) -> None:
        self._write("Host", name)

    @property
    def remoteProgram(self) -> str:
        """petanomaly on the other computer; empty for the one on its PATH."""
        return self._read("RemoteProgram", "")

    @remoteProgram.setter
    def remoteProgram(self, path: str) -> None:
        self._write("RemoteProgram", path)

    @property
    def beforeProgram(self) -> str:
        """Words in front of it, such as `srun`."""
        return self._read("BeforeProgram", "")

    @beforeProgram.setter
    def beforeProgram(self, words: str) -> None:
        self._write("BeforeProgram", words)

    @property
    def hiddenColumns(self) -> list[str] | None:
        """Further columns of the findings' table that are not shown; None when never chosen."""
        names = self._read("HiddenColumns", NEVER_CHOSEN)
        return None if names == NEVER_CHOSEN else [name for name in names.split() if name]

    @hiddenColumns.setter
    def hiddenColumns(self, names: list[str]) -> None:
        self._write("HiddenColumns", " ".join(names))

    def _read(self, key: str, default: str) -> str:
        value = qt.QSettings().value(f"{GROUP}/{key}", default)
        return default if value is None else str(value)

    def _write(self, key: str, value: str) -> None:
        qt.QSettings().setValue(f"{GROUP}/{key}", value)
