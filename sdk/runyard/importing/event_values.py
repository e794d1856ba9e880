"""What is in TensorBoard's messages: numbers, texts, hyperparameters.

Tensors are not unfolded as NumPy would: a few bytes can claim a shape of terabytes.
"""

from collections.abc import Callable
from importlib import import_module
from struct import Struct, error, pack
from typing import Any

SCALARS = ("", "scalars")  # plugins
# How a number lies in a tensor's bytes, and the field where it may be instead; by DataType.
NUMBERS = {
    1: ("<f", "float_val"),
    2: ("<d", "double_val"),
    3: ("<i", "int_val"),
    4: ("<B", "int_val"),
    5: ("<h", "int_val"),
    6: ("<b", "int_val"),
    9: ("<q", "int64_val"),
    10: ("<?", "bool_val"),
    14: ("bfloat16", "half_val"),
    17: ("<H", "int_val"),
    19: ("<e", "half_val"),
    22: ("<I", "uint32_val"),
    23: ("<Q", "uint64_val"),
}
HALVES = ("<e", "bfloat16")  # kept as the bits of a whole number
ENDS = {1: "completed", 2: "failed"}  # STATUS_SUCCESS, STATUS_FAILURE
DEPTH = 32


def event_parser() -> Callable[[bytes], Any]:
    """None for what is no event."""
    return _parser("tensorboard.compat.proto.event_pb2", "Event")


def _parser(module: str, message: str) -> Callable[[bytes], Any]:
    """Of an extra, which is not there for each who imports this."""
    from_string = getattr(import_module(module), message).FromString
    decode_error = import_module("google.protobuf.message").DecodeError

    def parse(body: bytes) -> Any:
        try:
            return from_string(body)
        except decode_error:
            return None

    return parse


def is_scalar(tensor: Any) -> bool:
    return tensor.dtype in NUMBERS and all(dim.size == 1 for dim in tensor.tensor_shape.dim)


def read_scalar(tensor: Any) -> float | None:
    """None where the bytes are not those of one number."""
    code, field = NUMBERS[tensor.dtype]
    if tensor.tensor_content:
        return _unpack(code, tensor.tensor_content)
    values = getattr(tensor, field)
    if not values:  # zeros may be left unsaid
        return 0.0
    return _unpack(code, pack("<H", values[0] & 0xFFFF)) if code in HALVES else float(values[0])


def _unpack(code: str, content: bytes) -> float | None:
    if code == "bfloat16":  # the upper half of a float32
        code, content = "<f", b"\0\0" + content
    try:
        return float(Struct(code).unpack(content)[0])
    except error:
        return None


def read_text(tensor: Any) -> str:
    """A table's cells become lines."""
    return "\n".join(one.decode("utf-8", "replace") for one in tensor.string_val)


def read_hparams(content: bytes, ended_as: str) -> tuple[dict[str, Any], str]:
    """The hyperparameters in it, and how the session ended, if it says so."""
    data = _parser("tensorboard.plugins.hparams.plugin_data_pb2", "HParamsPluginData")(content)
    if data is None:
        return {}, ended_as
    hparams = {key: _plain(value) for key, value in data.session_start_info.hparams.items()}
    return hparams, ENDS.get(data.session_end_info.status, ended_as)


def _plain(value: Any, depth: int = 1) -> Any:
    """Whole numbers are told as such: the message knows floats only."""
    kind = value.WhichOneof("kind")
    if depth > DEPTH or kind in {None, "null_value"}:
        return None
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    if kind == "list_value":
        return [_plain(item, depth + 1) for item in value.list_value.values]
    if kind == "struct_value":
        return {key: _plain(item, depth + 1) for key, item in value.struct_value.fields.items()}
    return getattr(value, kind)
