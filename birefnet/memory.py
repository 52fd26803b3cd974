"""How much memory a device has left, and what to do when it runs out."""

from __future__ import annotations

import torch

RESERVE = 256 << 20
"""Bytes left free on an accelerator for the driver and other programs."""


class DeviceMemory:
    """Memory of one device as a predictor sees it.

    A host that manages memory itself, such as ComfyUI, passes a subclass.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def free(self) -> int | None:
        """Bytes that a forward may use; None where several images at once are no faster (a CPU)."""
        if self.device.type == "cuda":
            available, _ = torch.cuda.mem_get_info(self.device)
            cached = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(
                self.device
            )
            return max(0, available + cached - RESERVE)
        return None

    def prepare(self, needed: int) -> None:
        """Make room for `needed` bytes of activations, as far as the host can."""

    def is_out_of_memory(self, error: Exception) -> bool:
        """Whether an error says that the device ran out of memory."""
        if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
            return True
        # The CPU allocator and some back ends raise a plain RuntimeError.
        text = str(error).lower()
        return isinstance(error, RuntimeError) and (
            "out of memory" in text or "can't allocate memory" in text
        )

    def release(self) -> None:
        """Give cached memory back before trying again."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.device.type == "mps":
            torch.mps.empty_cache()
        elif self.device.type == "xpu":
            torch.xpu.empty_cache()
