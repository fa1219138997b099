"""Exports a model to ONNX as optimum does: torch.onnx.export on modules named like Hugging Face's.

    write_onnx.py MODEL OUTPUT_FOLDER [--no-folding] [--external] [--half] [--quantise int8|nbits]

MODEL is a folder of safetensors of one of: llama, mistral, qwen2, gemma, phi3, gpt2, bert. --no-folding leaves the
exporter's Transpose nodes in; --external writes model.onnx_data; --quantise rewrites the file as onnxruntime's
quantisers do (int8: MatMulInteger; nbits: MatMulNBits). Needs python3-torch and python3-onnx.
"""
import argparse
import json
import math
import shutil
import struct
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F


def read_safetensors(folder):
    tensors = {}
    for path in sorted(Path(folder).glob("*.safetensors")):
        data = path.read_bytes()
        length = struct.unpack("<Q", data[:8])[0]
        for name, entry in json.loads(data[8:8 + length]).items():
            if name == "__metadata__" or entry["dtype"] not in ("BF16", "F16", "F32"):  # positions are no parameters
                continue
            begin, end = (8 + length + at for at in entry["data_offsets"])
            raw = data[begin:end]
            if entry["dtype"] == "BF16":
                numbers = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                numbers = np.frombuffer(raw, {"F32": np.float32, "F16": np.float16}[entry["dtype"]]).astype(np.float32)
            tensors[name] = torch.from_numpy(numbers.reshape(entry["shape"]).copy())
    return tensors


class RmsNorm(nn.Module):
    def __init__(self, width, gain_is_difference):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.gain_is_difference = gain_is_difference

    def forward(self, x):
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return x * (1.0 + self.weight.float()) if self.gain_is_difference else self.weight * x


class Conv1D(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.outputs = outputs
        self.weight = nn.Parameter(torch.empty(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        flat = torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight)
        return flat.view(x.size()[:-1] + (self.outputs,))


def attend(queries, keys, values, heads, key_heads):
    def split(x, count):
        return x.view(x.size(0), x.size(1), count, -1).transpose(1, 2)

    q, k, v = split(queries, heads), split(keys, key_heads), split(values, key_heads)
    k = k.repeat_interleave(heads // key_heads, 1)
    v = v.repeat_interleave(heads // key_heads, 1)
    weights = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(q.size(-1)), -1)
    return (weights @ v).transpose(1, 2).reshape(queries.size(0), queries.size(1), -1)


class LlamaAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        size, self.heads = c["head_dim"], c["num_attention_heads"]
        self.key_heads = c["num_key_value_heads"]
        self.fused = c["model_type"] == "phi3"
        bias = c["model_type"] == "qwen2"
        queries, keys = self.heads * size, self.key_heads * size
        if self.fused:
            self.qkv_proj = nn.Linear(c["hidden_size"], queries + 2 * keys, bias=False)
        else:
            self.q_proj = nn.Linear(c["hidden_size"], queries, bias=bias)
            self.k_proj = nn.Linear(c["hidden_size"], keys, bias=bias)
            self.v_proj = nn.Linear(c["hidden_size"], keys, bias=bias)
        self.o_proj = nn.Linear(queries, c["hidden_size"], bias=False)
        self.sizes = [queries, keys, keys]

    def forward(self, x):
        parts = self.qkv_proj(x).split(self.sizes, -1) if self.fused else (self.q_proj(x), self.k_proj(x), self.v_proj(x))
        return self.o_proj(attend(*parts, self.heads, self.key_heads))


class LlamaMlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fused = c["model_type"] == "phi3"
        if self.fused:
            self.gate_up_proj = nn.Linear(c["hidden_size"], 2 * c["intermediate_size"], bias=False)
        else:
            self.gate_proj = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
            self.up_proj = nn.Linear(c["hidden_size"], c["intermediate_size"], bias=False)
        self.down_proj = nn.Linear(c["intermediate_size"], c["hidden_size"], bias=False)

    def forward(self, x):
        gate, up = self.gate_up_proj(x).chunk(2, -1) if self.fused else (self.gate_proj(x), self.up_proj(x))
        return self.down_proj(F.silu(gate) * up)


class LlamaLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        difference = c["model_type"] == "gemma"
        self.self_attn = LlamaAttention(c)
        self.mlp = LlamaMlp(c)
        self.input_layernorm = RmsNorm(c["hidden_size"], difference)
        self.post_attention_layernorm = RmsNorm(c["hidden_size"], difference)

    def forward(self, x):
        x = x + self.self_attn(self.input_layernorm(x))
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(LlamaLayer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RmsNorm(c["hidden_size"], c["model_type"] == "gemma")

    def forward(self, tokens):
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class LlamaForCausalLM(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.model = LlamaModel(c)
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)
        if c["tie_word_embeddings"]:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, tokens):
        return self.lm_head(self.model(tokens))


class Gpt2Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c["n_head"]
        self.c_attn = Conv1D(c["n_embd"], 3 * c["n_embd"])
        self.c_proj = Conv1D(c["n_embd"], c["n_embd"])

    def forward(self, x):
        return self.c_proj(attend(*self.c_attn(x).chunk(3, -1), self.heads, self.heads))


class Gpt2Mlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c_fc = Conv1D(c["n_embd"], c["n_inner"])
        self.c_proj = Conv1D(c["n_inner"], c["n_embd"])

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Gpt2Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1 = nn.LayerNorm(c["n_embd"])
        self.attn = Gpt2Attention(c)
        self.ln_2 = nn.LayerNorm(c["n_embd"])
        self.mlp = Gpt2Mlp(c)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Gpt2Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.wte = nn.Embedding(c["vocab_size"], c["n_embd"])
        self.wpe = nn.Embedding(c["n_positions"], c["n_embd"])
        self.h = nn.ModuleList(Gpt2Layer(c) for _ in range(c["n_layer"]))
        self.ln_f = nn.LayerNorm(c["n_embd"])

    def forward(self, tokens):
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.size(1)))
        for layer in self.h:
            x = layer(x)
        return self.ln_f(x)


class Gpt2LMHeadModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = Gpt2Model(c)
        self.lm_head = nn.Linear(c["n_embd"], c["vocab_size"], bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens):
        return self.lm_head(self.transformer(tokens))




class BertSelf(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x):
        return attend(self.query(x), self.key(x), self.value(x), self.heads, self.heads)


class BertOutput(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.dense = nn.Linear(inputs, width)
        self.LayerNorm = nn.LayerNorm(width)

    def forward(self, x, residual):
        return self.LayerNorm(self.dense(x) + residual)


class BertAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self = BertSelf(c["hidden_size"], c["num_attention_heads"])
        self.output = BertOutput(c["hidden_size"], c["hidden_size"])

    def forward(self, x):
        return self.output(self.self(x), x)


class BertIntermediate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dense = nn.Linear(c["hidden_size"], c["intermediate_size"])

    def forward(self, x):
        return F.gelu(self.dense(x))


class BertLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention = BertAttention(c)
        self.intermediate = BertIntermediate(c)
        self.output = BertOutput(c["intermediate_size"], c["hidden_size"])

    def forward(self, x):
        x = self.attention(x)
        return self.output(self.intermediate(x), x)


class BertEmbeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.word_embeddings = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.position_embeddings = nn.Embedding(c["max_position_embeddings"], c["hidden_size"])
        self.token_type_embeddings = nn.Embedding(c["type_vocab_size"], c["hidden_size"])
        self.LayerNorm = nn.LayerNorm(c["hidden_size"])

    def forward(self, tokens):
        positions = torch.arange(tokens.size(1))
        x = self.word_embeddings(tokens) + self.position_embeddings(positions)
        return self.LayerNorm(x + self.token_type_embeddings(torch.zeros_like(tokens)))


class BertEncoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layer = nn.ModuleList(BertLayer(c) for _ in range(c["num_hidden_layers"]))

    def forward(self, x):
        for layer in self.layer:
            x = layer(x)
        return x


class BertModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings = BertEmbeddings(c)
        self.encoder = BertEncoder(c)

    def forward(self, tokens):
        return self.encoder(self.embeddings(tokens))


def build(config):
    kind = config["model_type"]
    if kind == "gpt2":
        return Gpt2LMHeadModel({"n_inner": 4 * config["n_embd"], **config})
    if kind == "bert":
        return BertModel(config)
    heads = config["num_attention_heads"]
    return LlamaForCausalLM({"head_dim": config["hidden_size"] // heads, "num_key_value_heads": heads,
                             "tie_word_embeddings": False, **config})


def fill(module, tensors):
    """Every parameter must be found; names may differ in a leading wrapper word."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            short = name.split(".", 1)[1]
            stored = next((tensors[n] for n in (name, short, "bert." + name) if n in tensors), None)
            if stored is None:
                raise SystemExit(f"{name} is not in the model")
            parameter.copy_(stored)


def matmuls(graph):
    """Nodes that multiply by a stored matrix, and its numbers."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in stored:
            yield node, stored[node.input[1]]


def replace_gemm(graph):
    """As onnxruntime's quantiser before it quantises: Gemm becomes MatMul and Add, its matrix transposed under its name."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "Gemm" and node.input[1] in stored]:
        settings = {attribute.name: attribute for attribute in node.attribute}
        if "transB" in settings and settings["transB"].i:
            tensor = stored[node.input[1]]
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).T.copy(), tensor.name))
        product = node.output[0] + "_MatMul"
        nodes = [helper.make_node("MatMul", [node.input[0], node.input[1]], [product], node.name + "_MatMul"),
                 helper.make_node("Add", [product, node.input[2]], list(node.output), node.name + "_Add")]
        at = list(graph.node).index(node)
        graph.node.remove(node)
        for i, new in enumerate(nodes):
            graph.node.insert(at + i, new)


def quantise_int8(graph):
    """As onnxruntime.quantization.quantize_dynamic with weights per channel."""
    replace_gemm(graph)
    for node, tensor in list(matmuls(graph)):
        weights = numpy_helper.to_array(tensor)
        scale = np.abs(weights).max(0) / 127
        codes = np.clip(np.rint(weights / np.where(scale == 0, 1, scale)), -127, 127).astype(np.int8)
        x, y, name = node.input[0], node.output[0], tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.extend([
            numpy_helper.from_array(codes, name + "_quantized"),
            numpy_helper.from_array(scale.astype(np.float32), name + "_scale"),
            numpy_helper.from_array(np.zeros(len(scale), np.int8), name + "_zero_point")])
        nodes = [
            helper.make_node("DynamicQuantizeLinear", [x], [y + "_q", y + "_s", y + "_z"]),
            helper.make_node("MatMulInteger", [y + "_q", name + "_quantized", y + "_z", name + "_zero_point"],
                             [y + "_output_quantized"], node.name + "_quant"),
            helper.make_node("Cast", [y + "_output_quantized"], [y + "_cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [y + "_s", name + "_scale"], [y + "_scales"], node.name + "_quant_scales_mul"),
            helper.make_node("Mul", [y + "_cast", y + "_scales"], [y], node.name + "_quant_output_scale_mul")]
        at = list(graph.node).index(node)
        graph.node.remove(node)
        for i, new in enumerate(nodes):
            graph.node.insert(at + i, new)


def quantise_nbits(graph, block=32):
    """As onnxruntime's MatMul4BitsQuantizer, asymmetric; like it, of MatMul alone."""
    for node, tensor in list(matmuls(graph)):
        weights = numpy_helper.to_array(tensor).T
        rows, columns = weights.shape
        blocks = -(-columns // block)
        padded = np.zeros((rows, blocks * block), np.float32)
        padded[:, :columns] = weights
        padded = padded.reshape(rows, blocks, block)
        low, high = np.minimum(padded.min(-1), 0), np.maximum(padded.max(-1), 0)
        scale = np.where(high > low, (high - low) / 15, 1).astype(np.float32)
        zero = np.clip(np.rint(-low / scale), 0, 15).astype(np.uint8)
        codes = np.clip(np.rint(padded / scale[..., None]) + zero[..., None], 0, 15).astype(np.uint8)
        packed = codes[..., 0::2] | codes[..., 1::2] << 4
        zeros = np.zeros((rows, -(-blocks // 2) * 2), np.uint8)
        zeros[:, :blocks] = zero
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.extend([
            numpy_helper.from_array(packed, name + "_Q4"),
            numpy_helper.from_array(scale.reshape(-1), name + "_scales"),
            numpy_helper.from_array((zeros[:, 0::2] | zeros[:, 1::2] << 4).reshape(-1), name + "_zero_points")])
        new = helper.make_node("MatMulNBits", [node.input[0], name + "_Q4", name + "_scales", name + "_zero_points"],
                               list(node.output), node.name + "_Q4", domain="com.microsoft", K=columns, N=rows, bits=4,
                               block_size=block)
        at = list(graph.node).index(node)
        graph.node.remove(node)
        graph.node.insert(at, new)


def to_half(graph):
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--no-folding", action="store_true")
    parser.add_argument("--external", action="store_true")
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--quantise", choices=["int8", "nbits"])
    options = parser.parse_args()
    config = json.loads((options.model / "config.json").read_text())
    module = build(config)
    fill(module, read_safetensors(options.model))
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "model.onnx"
    torch.onnx.export(module.eval(), torch.tensor([[1, 2, 3, 4]]), str(path), opset_version=14,
                      do_constant_folding=not options.no_folding, input_names=["input_ids"], output_names=["logits"],
                      dynamic_axes={"input_ids": {1: "length"}})
    model = onnx.load(str(path))
    if options.quantise == "int8":
        quantise_int8(model.graph)
    if options.quantise == "nbits":
        quantise_nbits(model.graph)
    if options.half:
        to_half(model.graph)
    onnx.save(model, str(path), save_as_external_data=options.external, location="model.onnx_data")
    for name in ("config.json", "tokenizer.json", "tokenizer.model"):
        if (options.model / name).exists():
            shutil.copy(options.model / name, options.output / name)


if __name__ == "__main__":
    main()
