"""NumPy's arrays in PostgreSQL's binary form: a list of numbers takes psycopg ten times as long."""

from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.postgres import types
from psycopg.pq import Format

HEAD = Struct(">iiIii")  # dimensions, whether there are NULLs, the type; items, the first's number
ITEMS: dict[str, tuple[int, np.dtype[Any]]] = {
    kind: (types[name].oid, np.dtype([("size", ">i4"), ("item", f">{kind}8")]))
    for kind, name in (("i", "int8"), ("f", "float8"))
}


class NumberArrayDumper(Dumper):
    """Of int64 and float64. Name the type in the statement: it is not told beside the value."""

    format = Format.BINARY

    def dump(self, obj: NDArray[Any]) -> bytes:
        oid, layout = ITEMS[obj.dtype.kind]
        items = np.empty(len(obj), layout)
        items["size"], items["item"] = 8, obj
        return HEAD.pack(1, 0, oid, len(obj), 1) + items.tobytes()
