"""Small files of safetensors, GGUF and ONNX put together at random, with what their formats leave open: for tests that
hold readers against each other."""
import json
import random
import struct

WIDTH = 32


def numbers_of(chance, count):
    return struct.pack(f"<{count}f", *(chance.gauss(0, 1) for _ in range(count)))


# ---- safetensors

def spelled(chance, name):
    """A name as JSON may write it: as it is, or with letters by their code."""
    if chance.random() < 0.8:
        return json.dumps(name)
    return '"' + "".join(f"\\u{ord(letter):04x}" if chance.random() < 0.3 else letter for letter in name) + '"'


def count_spelled(chance, value):
    return chance.choice([str(value)] * 150 + [f"{value}.0", f"{value}e0", f'"{value}"', f"-{value}", f"0{value}"])


def made_safetensors(chance):
    names = ["a.weight", "b.weight", "c.weight", "b.bias", "\u00e9.weight", "A.weight"]
    entries, data = [], b""
    for _ in range(chance.randrange(1, 5)):
        shape = [chance.choice([0, 1, 2, 3, 8]) for _ in range(chance.choice([0, 1, 2, 2, 2, 3]))]
        count = 1
        for extent in shape:
            count *= extent
        begin = chance.choice([len(data)] * 30 + [0, len(data) + 4])
        piece = numbers_of(chance, count)
        end = begin + len(piece) + chance.choice([0] * 40 + [4])
        data += piece
        fields = ['"dtype":' + chance.choice(['"F32"'] * 20 + ['"f32"', '"I32"']),
                  '"shape":[' + ",".join(count_spelled(chance, extent) for extent in shape) + "]",
                  f'"data_offsets":[{count_spelled(chance, begin)},{count_spelled(chance, end)}]']
        if chance.random() < 0.1:
            fields.append(chance.choice(['"shape":[1]', '"dtype":"I32"', '"strides":[1]', f'"data_offsets":[0,{end}]']))
        chance.shuffle(fields)
        entries.append(spelled(chance, chance.choice(names)) + ":{" + ",".join(fields) + "}")
    if chance.random() < 0.2:
        entries.append('"__metadata__":' + chance.choice(['{"format":"pt"}', "{}", '{"a":1}', "null"]))
    chance.shuffle(entries)
    header = chance.choice([""] * 24 + [" ", "\ufeff"]) + "{" + ",".join(entries) + "}"
    header += chance.choice([""] * 8 + [" ", "    ", "\n", "\0", "{}"])
    raw = header.encode()
    stated = len(raw) + chance.choice([0] * 15 + [1, -1])
    return struct.pack("<Q", stated) + raw + data + chance.choice([b""] * 15 + [b"\0" * 4])


# ---- GGUF

def gguf_text(word):
    raw = word.encode()
    return struct.pack("<Q", len(raw)) + raw


def gguf_value(value):
    if isinstance(value, str):
        return struct.pack("<I", 8) + gguf_text(value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, list):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(gguf_text(item) for item in value)
    return struct.pack("<II", 4, value)


def qwen2_settings():
    return {"general.architecture": "qwen2", "qwen2.block_count": 1, "qwen2.embedding_length": WIDTH,
            "qwen2.feed_forward_length": 2 * WIDTH, "qwen2.attention.head_count": 2,
            "qwen2.attention.head_count_kv": 2, "qwen2.context_length": 64,
            "qwen2.attention.layer_norm_rms_epsilon": 1e-6, "qwen2.rope.freq_base": 10000.0,
            "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": [f"t{index}" for index in range(WIDTH)],
            "tokenizer.ggml.merges": []}


def qwen2_shapes():
    square, block = (WIDTH, WIDTH), "blk.0."
    return {"token_embd.weight": square, "output_norm.weight": (WIDTH,), block + "attn_norm.weight": (WIDTH,),
            block + "attn_q.weight": square, block + "attn_k.weight": square, block + "attn_v.weight": square,
            block + "attn_output.weight": square, block + "ffn_norm.weight": (WIDTH,),
            block + "ffn_gate.weight": (2 * WIDTH, WIDTH), block + "ffn_up.weight": (2 * WIDTH, WIDTH),
            block + "ffn_down.weight": (WIDTH, 2 * WIDTH), block + "attn_q.bias": (WIDTH,),
            block + "attn_k.bias": (WIDTH,), block + "attn_v.bias": (WIDTH,)}


def made_gguf(chance):
    """A model of one layer whose conversion changes no number and no order."""
    settings = list(qwen2_settings().items())
    step = chance.choice([32] * 16 + [8, 64, 64, 16, 0, 24])
    if step != 32:
        settings.insert(chance.randrange(len(settings)), ("general.alignment", step))
    if chance.random() < 0.1:
        settings.append(("general.alignment", 64))
    if chance.random() < 0.1:
        settings.append(chance.choice(settings))
    tensors = list(qwen2_shapes().items())
    if chance.random() < 0.1:
        tensors.append(chance.choice(tensors))
    chance.shuffle(tensors)
    step = step or 32
    infos, data = b"", b""
    for name, shape in tensors:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        data += b"\0" * (-len(data) % step)
        offset = chance.choice([len(data)] * 200 + [0, len(data) + step])
        extents = list(reversed(shape)) + chance.choice([[]] * 12 + [[1], [1, 1]])
        infos += gguf_text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, 0, offset)
        data += numbers_of(chance, count)
    version = chance.choice([3] * 20 + [2, 2, 1, 4])
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(settings))
    head += b"".join(gguf_text(key) + gguf_value(value) for key, value in settings) + infos
    return head + b"\0" * (-len(head) % step) + data


# ---- ONNX

def made_onnx(chance, onnx):
    """A graph of matrix products; its initializers store their numbers in each way that the format knows."""
    helper, types = onnx.helper, onnx.TensorProto
    tensors, nodes, last = [], [], "input"
    for index in range(chance.randrange(1, 4)):
        name = f"layers.{chance.choice([index] * 6 + [0])}.weight"
        values = [chance.gauss(0, 1) for _ in range(16)]
        raw = chance.random() < 0.6
        kind = chance.choice([types.FLOAT] * 4 + [types.FLOAT16, types.DOUBLE, types.INT32])
        if kind == types.INT32:
            values = [int(8 * value) for value in values]
        if raw:
            letter = {types.FLOAT: "f", types.FLOAT16: "e", types.DOUBLE: "d", types.INT32: "i"}[kind]
            values = struct.pack(f"<16{letter}", *values)
        tensor = helper.make_tensor(name, kind, [4, 4], values, raw=raw)
        if chance.random() < 0.1:
            tensor.float_data.extend([1.0] * 16)
        if chance.random() < 0.05:
            tensor.dims[0] = chance.choice([2, 8, -4])
        tensors.append(tensor)
        nodes.append(helper.make_node("MatMul", [last, name], [f"hidden{index}"]))
        last = f"hidden{index}"
    if chance.random() < 0.2:
        value = onnx.helper.make_tensor("value", types.FLOAT, [2], [1.0, 2.0])
        nodes.append(helper.make_node("Constant", [], ["constant"], value=value))
    shapes = [helper.make_tensor_value_info("input", types.FLOAT, [1, 4])]
    ends = [helper.make_tensor_value_info(last, types.FLOAT, [1, 4])]
    data = helper.make_model(helper.make_graph(nodes, "graph", shapes, ends, tensors)).SerializeToString()
    return data + chance.choice([b""] * 8 + [data[-20:], data])


