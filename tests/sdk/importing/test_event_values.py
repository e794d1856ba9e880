import math
from struct import pack
from typing import Any

import pytest
from runyard.importing.event_values import event_parser, is_scalar, read_hparams, read_scalar
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData


def tensor(dtype: int, *shape: int, **content: Any) -> Any:
    dims = [{"size": size} for size in shape]
    return TensorProto(dtype=dtype, tensor_shape={"dim": dims}, **content)


@pytest.mark.parametrize(
    ("dtype", "content", "value"),
    [
        (1, {"tensor_content": pack("<f", 0.5)}, 0.5),
        (1, {"float_val": [0.25]}, 0.25),
        (1, {"float_val": [math.inf]}, math.inf),
        (2, {"tensor_content": pack("<d", 0.1)}, 0.1),
        (2, {"double_val": [0.1]}, 0.1),
        (3, {"int_val": [-7]}, -7.0),
        (4, {"tensor_content": b"\xff"}, 255.0),
        (9, {"int64_val": [2**40]}, 2.0**40),
        (10, {"bool_val": [True]}, 1.0),
        (14, {"half_val": [0x3FC0]}, 1.5),
        (14, {"tensor_content": b"\xc0\x3f"}, 1.5),
        (19, {"half_val": [0x3E00]}, 1.5),
        (19, {"tensor_content": pack("<e", 1.5)}, 1.5),
        (23, {"uint64_val": [2**60]}, 2.0**60),
        (1, {}, 0.0),
        (1, {"tensor_content": b"too long"}, None),
    ],
)
def test_numbers_in_all_their_forms(dtype: int, content: dict[str, Any], value: float) -> None:
    assert is_scalar(tensor(dtype, **content))
    assert read_scalar(tensor(dtype, **content)) == value


@pytest.mark.parametrize(
    ("dtype", "shape", "expected"),
    [(1, (), True), (1, (1, 1), True), (1, (2,), False), (7, (), False), (1, (2**62,) * 8, False)],
)
def test_only_single_numbers_are_scalars(
    dtype: int, shape: tuple[int, ...], expected: bool
) -> None:
    assert is_scalar(tensor(dtype, *shape)) is expected


def test_hyperparameters_keep_their_types() -> None:
    data = HParamsPluginData()
    hparams = data.session_start_info.hparams
    hparams["lr"].number_value = 0.1
    hparams["layers"].number_value = 3
    hparams["huge"].number_value = 1e300
    hparams["odd"].number_value = math.inf
    hparams["name"].string_value = "adam"
    hparams["flag"].bool_value = True
    hparams["none"].null_value = 0
    hparams["sizes"].list_value.values.add().number_value = 8
    hparams["net"].struct_value.fields["depth"].number_value = 2

    assert read_hparams(data.SerializeToString(), "completed") == (
        {
            "lr": 0.1,
            "layers": 3,
            "huge": 1e300,
            "odd": math.inf,
            "name": "adam",
            "flag": True,
            "none": None,
            "sizes": [8],
            "net": {"depth": 2},
        },
        "completed",
    )


@pytest.mark.parametrize(
    ("status", "ended_as"), [(0, ""), (1, "completed"), (2, "failed"), (3, ""), (77, "")]
)
def test_the_end_of_a_session_is_told(status: int, ended_as: str) -> None:
    data = HParamsPluginData(session_end_info={"status": status})

    assert read_hparams(data.SerializeToString(), "") == ({}, ended_as)


def test_what_is_no_message_says_nothing() -> None:
    assert event_parser()(b"\xff\xff\xff") is None
    assert read_hparams(b"\xff\xff\xff", "completed") == ({}, "completed")
    assert read_hparams(b"", "completed") == ({}, "completed")
