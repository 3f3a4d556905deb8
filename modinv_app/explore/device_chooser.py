"""The choice of microphone and loudspeaker."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from modinv_app.audio.backend import AudioDevice
from modinv_app.common.icons import IconButton

_TITLES = {"input": "Microphone", "output": "Loudspeaker"}


class DeviceChooser(QWidget):
    """Two combo boxes, each starting with the system's default, and a button that looks for devices again.

    Signals
    -------
    device_chosen(kind, name)
        The user has chosen a device; kind is "input" or "output", and an empty name is the system's default.
    refresh_requested
        Look for devices again.
    """

    device_chosen = Signal(str, str)
    refresh_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: dict[str, QComboBox] = {}
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(1, 1)
        for row, (kind, title) in enumerate(_TITLES.items()):
            box = QComboBox()
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(24)
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setAccessibleName(title)
            box.activated.connect(lambda _index, kind=kind: self._choose(kind))
            label = QLabel(f"{title}:")
            label.setBuddy(box)
            layout.addWidget(label, row, 0)
            layout.addWidget(box, row, 1)
            self._boxes[kind] = box
        refresh = IconButton("refresh", "Look for microphones and loudspeakers again")
        refresh.clicked.connect(self.refresh_requested)
        layout.addWidget(refresh, 0, 2, len(_TITLES), 1, Qt.AlignmentFlag.AlignVCenter)
        self.show_devices((), ())

    def chosen(self, kind: str) -> str:
        """The chosen device; empty for the system's default."""
        return str(self._boxes[kind].currentData())

    @Slot(object, object)
    def show_devices(self, inputs: Sequence[AudioDevice], outputs: Sequence[AudioDevice]) -> None:
        """Offer these devices; a chosen one that is missing is kept, marked as not connected."""
        for kind, devices in (("input", inputs), ("output", outputs)):
            box = self._boxes[kind]
            chosen = box.currentData() or ""
            default = next((device.name for device in devices if device.default), "")
            box.clear()
            box.addItem("System default", "")
            box.setItemData(0, default, Qt.ItemDataRole.ToolTipRole)
            for device in devices:
                box.addItem(device.name, device.name)
                box.setItemData(
                    box.count() - 1,
                    f"{device.name}, {device.host}, {device.rate} Hz",
                    Qt.ItemDataRole.ToolTipRole,
                )
            self.set_device(kind, chosen)

    @Slot(str, str)
    def set_device(self, kind: str, name: str) -> None:
        """Show which device is in use, without a signal; empty is the system's default."""
        box = self._boxes[kind]
        index = box.findData(name)
        if index < 0:
            box.addItem(f"{name} (not connected)", name)
            index = box.count() - 1
        box.setCurrentIndex(index)
        box.setToolTip(box.currentText())

    def _choose(self, kind: str) -> None:
        box = self._boxes[kind]
        box.setToolTip(box.currentText())
        self.device_chosen.emit(kind, box.currentData())


class DeviceButton(IconButton):
    """A button that opens a chooser as a popup."""

    def __init__(self, chooser: DeviceChooser, parent: QWidget | None = None) -> None:
        super().__init__("devices", "Choose microphone and loudspeaker", parent)
        self._popup = QDialog(self, Qt.WindowType.Popup)
        self._popup.setAccessibleName("Microphone and loudspeaker")
        QVBoxLayout(self._popup).addWidget(chooser)
        self.clicked.connect(self._open)

    def _open(self) -> None:
        self._popup.adjustSize()
        screen = self.screen().availableGeometry()
        place = self.mapToGlobal(QPoint(0, -self._popup.height()))
        place.setX(max(screen.left(), min(place.x(), screen.right() - self._popup.width())))
        place.setY(max(screen.top(), place.y()))
        self._popup.move(place)
        self._popup.open()
