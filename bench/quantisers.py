"""Quantises matrices as published writers store them: name of a matrix and its numbers -> stored tensors.

Rounding to the nearest code, no calibration: what the formats hold is theirs, which codes they hold is not."""

import json

import numpy as np

FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)
FP4 = np.concatenate([FP4, -FP4])
# QLoRA (Dettmers et al. 2023), appendix E.
NF4 = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                0.7229568362236023, 1.0], np.float32)
# bitsandbytes' own FP4, in the order of its codes.
BNB_FP4 = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3], np.float32) / 12
BNB_FP4 = np.concatenate([BNB_FP4, -BNB_FP4])
E4M3_MOST = 448.0


def e4m3_table():
    """Value of each code; the two that are NaN become infinite, which is never nearest."""
    codes = np.arange(256)
    exponent, fraction = codes >> 3 & 15, codes & 7
    values = np.where(exponent == 0, fraction / 8 * 2.0 ** -6, (1 + fraction / 8) * 2.0 ** (exponent - 7.0))
    values = np.where(codes & 127 == 127, np.inf, values)
    return np.where(codes & 128, -values, values).astype(np.float32)


E4M3 = e4m3_table()


def nearest(values, table):
    """Code of the number of `table` that is nearest to each value."""
    order = np.argsort(table, kind="stable")
    middles = (table[order][1:] + table[order][:-1]) / 2
    return order[np.searchsorted(middles, values)].astype(np.uint8)


def pack_stream(codes, bits):
    """Codes along the last axis as 32-bit words without gaps, the first in the lowest bits."""
    ones = (codes[..., None] >> np.arange(bits, dtype=np.uint8) & 1).astype(np.uint8)
    stream = ones.reshape(*codes.shape[:-1], codes.shape[-1] * bits)
    assert stream.shape[-1] % 32 == 0, "codes do not fill whole words"
    return np.ascontiguousarray(np.packbits(stream, axis=-1, bitorder="little")).view(np.uint32)


def pack_words(codes, bits):
    """floor(32 / bits) codes in a word, padded with zeros."""
    each = 32 // bits
    words = -(-codes.shape[-1] // each)
    padded = np.zeros((*codes.shape[:-1], words * each), np.uint32)
    padded[..., : codes.shape[-1]] = codes
    shifts = (np.arange(each) * bits).astype(np.uint32)
    parts = padded.reshape(*codes.shape[:-1], words, each) << shifts
    return np.bitwise_or.reduce(parts, axis=-1)


def pairs(codes, first_low=True):
    """Two codes of four bits in a byte."""
    first, second = codes[..., 0::2], codes[..., 1::2]
    return (first | second << 4 if first_low else first << 4 | second).astype(np.uint8)


def group_of_input(columns, group, act_order):
    """Act-order gives neighbouring groups inputs that lie apart."""
    groups = np.arange(columns) // group
    return np.random.default_rng(0).permutation(groups).astype(np.int32) if act_order else groups.astype(np.int32)


def affine(weight, bits, groups, symmetric):
    """Codes [out, in], scales and zero points [out, groups] of float16 scales."""
    count, most = groups.max() + 1, 2 ** bits - 1
    scales = np.zeros((weight.shape[0], count), np.float16)
    zeros = np.zeros((weight.shape[0], count), np.uint8)
    codes = np.zeros(weight.shape, np.uint8)
    for group in range(count):
        part = weight[:, groups == group]
        low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
        if symmetric:
            high = np.maximum(-low, high)
            low = -high
        scale = np.maximum((high - low) / most, 1e-7).astype(np.float16)
        zero = np.full(len(low), 2 ** (bits - 1)) if symmetric else np.round(-low / scale.astype(np.float32))
        zero = np.clip(zero, 0, most)
        code = np.round(part / scale.astype(np.float32)[:, None]) + zero[:, None]
        codes[:, groups == group] = np.clip(code, 0, most)
        scales[:, group], zeros[:, group] = scale, zero
    return codes, scales, zeros


def blocks_of(weight, size):
    """Rows of `size` numbers each, in order; the last is filled up with zeros."""
    flat = weight.reshape(-1)
    return np.pad(flat, (0, -len(flat) % size)).reshape(-1, size)


def module(name):
    return name.removesuffix(".weight")


def gptq(name, weight, options):
    columns = weight.shape[1]
    group = columns if options.group <= 0 else options.group
    groups = group_of_input(columns, group, options.act_order)
    codes, scales, zeros = affine(weight, options.bits, groups, options.symmetric)
    mask = 2 ** options.bits - 1
    stored_zeros = zeros if options.version == 2 else (zeros.astype(np.int32) - 1 & mask).astype(np.uint8)
    return {module(name) + ".qweight": pack_stream(codes, options.bits).T.astype(np.int32),
            module(name) + ".qzeros": pack_stream(stored_zeros.T, options.bits).astype(np.int32),
            module(name) + ".scales": scales.T,
            module(name) + ".g_idx": groups}


def gptq_config(options):
    return {"quant_method": "gptq", "bits": options.bits, "group_size": options.group, "sym": options.symmetric,
            "desc_act": options.act_order, "checkpoint_format": "gptq_v2" if options.version == 2 else "gptq"}


def awq(name, weight, options):
    groups = group_of_input(weight.shape[1], options.group, False)
    codes, scales, zeros = affine(weight, 4, groups, False)
    order = [0, 2, 4, 6, 1, 3, 5, 7]

    def packed(numbers):
        return pack_stream(numbers.reshape(len(numbers), -1, 8)[..., order].reshape(numbers.shape), 4)

    return {module(name) + ".qweight": packed(codes.T).astype(np.int32),
            module(name) + ".qzeros": packed(zeros.T).astype(np.int32),
            module(name) + ".scales": scales.T}


def awq_config(options):
    return {"quant_method": "awq", "bits": 4, "group_size": options.group, "zero_point": True, "version": "gemm"}


def compressed(name, weight, options):
    groups = group_of_input(weight.shape[1], options.group, False)
    codes, scales, zeros = affine(weight, options.bits, groups, options.symmetric)
    tensors = {module(name) + ".weight_packed": pack_words(codes, options.bits).astype(np.int32),
               module(name) + ".weight_scale": scales,
               module(name) + ".weight_shape": np.array(weight.shape, np.int64)}
    if not options.symmetric:
        tensors[module(name) + ".weight_zero_point"] = pack_words(zeros.T, options.bits).T.astype(np.int32)
    return tensors


def compressed_config(options):
    weights = {"num_bits": options.bits, "type": "int", "strategy": "group", "group_size": options.group,
               "symmetric": options.symmetric}
    return {"quant_method": "compressed-tensors", "format": "pack-quantized",
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def bitsandbytes4(name, weight, options):
    kind = options.format
    table = NF4 if kind == "nf4" else BNB_FP4
    blocks = blocks_of(weight, options.block)
    absmax = np.abs(blocks).max(1)
    codes = nearest(blocks / np.maximum(absmax, 1e-12)[:, None], table).reshape(-1)[: weight.size]
    state = {"quant_type": kind, "blocksize": options.block, "dtype": "bfloat16", "shape": list(weight.shape)}
    tensors = {name: pairs(codes, first_low=False)[:, None], name + ".quant_map": table}
    if options.double:
        offset = float(absmax.mean())
        inner = blocks_of(absmax - offset, 256)
        nested = np.abs(inner).max(1)
        # bitsandbytes' own map is another; any of 256 numbers is read.
        nested_map = np.linspace(-1, 1, 256, dtype=np.float32)
        tensors[name + ".absmax"] = nearest(inner / nested[:, None], nested_map).reshape(-1)[: len(absmax)]
        tensors[name + ".nested_absmax"] = nested
        tensors[name + ".nested_quant_map"] = nested_map
        state |= {"nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": offset}
    else:
        tensors[name + ".absmax"] = absmax
    text = json.dumps(state).encode()
    tensors[f"{name}.quant_state.bitsandbytes__{kind}"] = np.frombuffer(text, np.uint8)
    return tensors


def bitsandbytes_config(options):
    return {"quant_method": "bitsandbytes", "load_in_4bit": options.format != "int8",
            "load_in_8bit": options.format == "int8", "bnb_4bit_quant_type": options.format}


def int8(name, weight, options):
    most = np.abs(weight).max(1)
    codes = np.round(weight * (127 / np.maximum(most, 1e-12))[:, None]).astype(np.int8)
    return {name: codes, module(name) + ".SCB": most, module(name) + ".weight_format": np.array(0, np.uint8)}


def fp8(name, weight, options):
    size = options.block
    rows, columns = -(-weight.shape[0] // size), -(-weight.shape[1] // size)
    scales = np.zeros((rows, columns), np.float32)
    codes = np.zeros(weight.shape, np.uint8)
    for row in range(rows):
        for column in range(columns):
            place = np.s_[row * size : (row + 1) * size, column * size : (column + 1) * size]
            scales[row, column] = np.abs(weight[place]).max() / E4M3_MOST
            codes[place] = nearest(weight[place] / scales[row, column], E4M3)
    return {name: (codes, "F8_E4M3"), name + "_scale_inv": scales}


def fp8_config(options):
    return {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [options.block, options.block]}


def fp8_channel(name, weight, options):
    scales = (np.abs(weight).max(1, keepdims=True) / E4M3_MOST).astype(np.float32)
    return {name: (nearest(weight / scales, E4M3), "F8_E4M3"), name + "_scale": scales}


def fp8_channel_config(options):
    weights = {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}
    return {"quant_method": "compressed-tensors", "format": "float-quantized",
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def nvfp4(name, weight, options):
    blocks = weight.reshape(len(weight), -1, 16)
    most = np.abs(blocks).max(2)
    divisor = np.float32(6 * E4M3_MOST / np.abs(weight).max())
    scale_codes = nearest(most / 6 * divisor, E4M3)
    scales = np.maximum(E4M3[scale_codes] / divisor, 1e-12)
    codes = nearest(blocks / scales[..., None], FP4).reshape(weight.shape)
    return {module(name) + ".weight_packed": pairs(codes),
            module(name) + ".weight_scale": (scale_codes, "F8_E4M3"),
            module(name) + ".weight_global_scale": np.array([divisor])}


def nvfp4_config(options):
    weights = {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16, "symmetric": True}
    return {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized",
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def mlx(name, weight, options):
    blocks = weight.reshape(len(weight), -1, options.group)
    low, high = blocks.min(2), blocks.max(2)
    scales = np.maximum((high - low) / (2 ** options.bits - 1), 1e-7).astype(np.float16)
    biases = low.astype(np.float16)
    codes = np.round((blocks - biases[..., None].astype(np.float32)) / scales[..., None].astype(np.float32))
    codes = np.clip(codes, 0, 2 ** options.bits - 1).astype(np.uint8).reshape(weight.shape)
    return {name: pack_stream(codes, options.bits), module(name) + ".scales": scales, module(name) + ".biases": biases}


def mlx_config(options):
    return {"group_size": options.group, "bits": options.bits}


def hqq(name, weight, options):
    groups = weight.reshape(-1, options.group)
    codes, scales, zeros = affine(groups, 4, np.zeros(options.group, np.int32), False)
    half = len(codes) // 2
    return {module(name) + ".W_q": codes[:half] << 4 | codes[half:],
            module(name) + ".scale": scales,
            module(name) + ".zero": zeros.astype(np.float16),
            module(name) + ".shape": np.array(weight.shape, np.int64),
            module(name) + ".axis": np.array(1, np.int32),
            module(name) + ".nbits": np.array(4, np.int32),
            module(name) + ".group_size": np.array(options.group, np.int32)}


def hqq_config(options):
    return {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": options.group,
                                                                           "axis": 1}}}


# Format -> what makes the tensors of a matrix, and what makes the config's statement.
QUANTISERS = {"gptq": (gptq, gptq_config), "awq": (awq, awq_config),
              "compressed-tensors": (compressed, compressed_config),
              "nf4": (bitsandbytes4, bitsandbytes_config), "fp4": (bitsandbytes4, bitsandbytes_config),
              "int8": (int8, bitsandbytes_config), "fp8": (fp8, fp8_config),
              "fp8-channel": (fp8_channel, fp8_channel_config), "nvfp4": (nvfp4, nvfp4_config),
              "mlx": (mlx, mlx_config), "hqq": (hqq, hqq_config)}
