"""Arrays of several libraries as bytes with a type that safetensors has."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import Error

Described = tuple[str, str, list[int], npt.NDArray[Any]]

_TYPES = {
    "bool": "BOOL",
    "uint8": "U8",
    "int8": "I8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "bfloat16": "BF16",  # of the package ml_dtypes
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
}

# Types that numpy does not have, as integers of their bits.
_TORCH_BITS = {
    "torch.bfloat16": ("BF16", "int16"),
    "torch.float8_e4m3fn": ("F8_E4M3", "uint8"),
    "torch.float8_e5m2": ("F8_E5M2", "uint8"),
}


def _numpy_and_type(name: str, value: Any) -> tuple[npt.NDArray[Any], str | None]:
    if isinstance(value, tuple):
        array, dtype = value
        return np.asarray(array), str(dtype)
    if hasattr(value, "detach"):  # PyTorch
        tensor = value.detach().cpu().contiguous()
        dtype, bits = _TORCH_BITS.get(str(tensor.dtype), (None, None))
        if bits is not None:
            tensor = tensor.view(getattr(sys.modules["torch"], bits))
        return tensor.numpy(), dtype
    if not hasattr(value, "__array__"):
        raise Error(
            f"tensor {name!r}: neither an array nor a tensor",
            tensor=name,
            found=type(value).__name__,
        )
    return np.asarray(value), None


def described(tensors: Mapping[str, Any]) -> list[Described]:
    """(name, type, shape, contiguous little-endian array) of each."""
    found = []
    for name, value in tensors.items():
        array, dtype = _numpy_and_type(name, value)
        if dtype is None:
            dtype = _TYPES.get(array.dtype.name)
        if dtype is None:
            raise Error(
                f"tensor {name!r}: numbers of the type {array.dtype.name} are not read",
                kind="unsupported",
                tensor=name,
                found=array.dtype.name,
            )
        shape = list(array.shape)
        array = np.ascontiguousarray(array)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        found.append((name, dtype, shape, array))
    return found
