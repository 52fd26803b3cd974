"""Memory of a device."""

from __future__ import annotations

import pytest
import torch

from birefnet.memory import DeviceMemory


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_mean_out_of_memory(error: Exception, expected: bool) -> None:
    assert DeviceMemory(torch.device("cpu")).is_out_of_memory(error) is expected


def test_a_cpu_sets_no_limit() -> None:
    memory = DeviceMemory(torch.device("cpu"))
    assert memory.free() is None
    memory.prepare(1 << 50)
    memory.release()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_tells_what_is_free() -> None:
    device = torch.device("cuda")
    before = DeviceMemory(device).free()
    block = torch.empty(1 << 28, device=device, dtype=torch.uint8)
    after = DeviceMemory(device).free()
    assert before is not None
    assert after is not None
    assert before - after >= block.numel() // 2
