"""Where networks may compute in fewer bits."""

from __future__ import annotations

import torch


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 by itself: emulated it would be slower than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # older versions of torch can't tell
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def autocast(device: torch.device, bfloat16: bool) -> torch.autocast:
    """A context in which networks compute in bfloat16, if that is wanted and the device has it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=bfloat16 and has_bfloat16(device))
