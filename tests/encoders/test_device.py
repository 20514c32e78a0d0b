"""Where the model runs: what was asked for or one clear line; bf16 only where the hardware computes
in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from encoders import device
from encoders.device import (
    MOST_THREADS,
    Placement,
    Precision,
    choose_int8,
    choose_placement,
    choose_threads,
)
from upwell.errors import EncoderError

CPU, CUDA = "cpu", "cuda"


@pytest.fixture
def cpuinfo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(device, "_CPUINFO", path)
    return path


@pytest.fixture
def unhindered(monkeypatch: pytest.MonkeyPatch) -> None:
    """OneDNN uses all that the processor has."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, bf16: bool) -> None:
    monkeypatch.setattr(device, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)


@pytest.mark.usefixtures("no_cuda", "unhindered")
@pytest.mark.parametrize("wanted", ["auto", "cpu"])
@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_bf16 avx512_fp16\n", "bfloat16"),
        ("flags\t\t: fpu amx_tile amx_bf16", "bfloat16"),
        ("Features\t: fp asimd i8mm bf16", "bfloat16"),
        ("Features\t: fp asimd i8mm bf16 dgh", "bfloat16"),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", "float32"),
        ("model name\t: bf16 in name alone \n", "float32"),
        ("", "float32"),
    ],
)
def test_the_processor_decides_the_precision(
    cpuinfo: Path, wanted: str, flags: str, precision: Precision
) -> None:
    cpuinfo.write_text(flags)
    assert choose_placement(wanted) == Placement(CPU, precision)


@pytest.mark.usefixtures("no_cuda", "unhindered")
@pytest.mark.parametrize(
    ("name", "isa", "precision"),
    [
        ("ONEDNN_MAX_CPU_ISA", "SSE41", "float32"),
        ("ONEDNN_MAX_CPU_ISA", "avx512_core", "float32"),
        ("DNNL_MAX_CPU_ISA", "AVX2", "float32"),
        ("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16", "bfloat16"),
        ("ONEDNN_MAX_CPU_ISA", "DEFAULT", "bfloat16"),
    ],
)
def test_float32_where_onednn_is_held_to_instructions_without_bf16(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch, name: str, isa: str, precision: Precision
) -> None:
    cpuinfo.write_text("flags\t\t: fpu avx2 avx512_bf16\n")
    monkeypatch.setenv(name, isa)
    assert choose_placement("cpu").precision == precision


@pytest.mark.parametrize("drivers", [(), ("null",)])
def test_torch_is_loaded_only_where_there_may_be_a_gpu(drivers: tuple[str, ...]) -> None:
    program = (
        f"import sys; from encoders import device; device._DRIVERS = {drivers}; "
        "device.choose_placement('auto'); print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(bool(drivers) or sys.platform != "linux")


@pytest.mark.usefixtures("no_cuda", "cpuinfo", "unhindered")
def test_without_cpuinfo_it_is_float32() -> None:
    assert choose_placement("auto") == Placement(CPU, "float32")


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
@pytest.mark.parametrize(("bf16", "precision"), [(True, "bfloat16"), (False, "float32")])
def test_cuda_is_taken_when_there_is_one(
    monkeypatch: pytest.MonkeyPatch, wanted: str, bf16: bool, precision: Precision
) -> None:
    pretend_cuda(monkeypatch, bf16)
    assert choose_placement(wanted) == Placement(CUDA, precision)


def test_cpu_stays_cpu_where_there_is_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, bf16=True)
    assert choose_placement("cpu").device == CPU


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize(
    ("wanted", "says"),
    [("cuda", "no CUDA device.*UPWELL_DEVICE=auto"), ("tpu", "must be auto, cpu or cuda")],
)
def test_what_cannot_be_is_one_line(wanted: str, says: str) -> None:
    with pytest.raises(EncoderError, match=says) as error:
        choose_placement(wanted)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("cores", "threads"), [({0}, 1), ({2, 3}, 2), (set(range(64)), MOST_THREADS)]
)
def test_a_thread_for_each_core_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], threads: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert choose_threads(0, CPU) == threads
    assert choose_threads(7, CPU) == 7
    assert choose_threads(7, CUDA) == choose_threads(0, CUDA) == 1


def test_where_the_system_does_not_say_it_counts_the_machines_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    for cores, threads in ((3, 3), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert choose_threads(0, CPU) == threads


@pytest.mark.usefixtures("no_cuda")
@pytest.mark.parametrize(
    ("flags", "held", "int8"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", None, True),
        ("flags\t\t: fpu avx2 avx_vnni\n", None, True),
        ("flags\t\t: fpu avx2 avx512_vnni avx512_bf16\n", None, False),
        ("flags\t\t: fpu avx2 avx512_vnni avx512_bf16\n", "AVX512_CORE_VNNI", True),
        ("flags\t\t: fpu avx2 avx512_vnni avx512_bf16\n", "avx512_core", False),
        ("flags\t\t: fpu avx2 avx_vnni\n", "AVX2", False),
        ("flags\t\t: fpu avx2 avx512f\n", None, False),
        ("", None, False),
    ],
)
def test_8_bits_where_the_processor_multiplies_them_and_not_bf16(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch, flags: str, held: str | None, int8: bool
) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if held is not None:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", held)
    cpuinfo.write_text(flags)
    assert choose_int8(choose_placement("cpu")) is int8


def test_a_gpu_computes_as_it_does(cpuinfo: Path) -> None:
    cpuinfo.write_text("flags\t\t: avx512_vnni\n")
    assert not choose_int8(Placement(CUDA, "float32"))
