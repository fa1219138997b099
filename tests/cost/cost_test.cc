// Files that cost far more than their bytes: what every parser takes in memory, at once and in all,
// is linear in what it reads. The constants are stated in docs/formats/limits.md. Nothing here is
// timed: what walks the same values again and again also copies them again and again.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/gguf/gguf.h"
#include "formats/numpy/numpy.h"
#include "formats/onnx/onnx.h"
#include "formats/torch/torch.h"
#include "safetensors/safetensors.h"
#include "tests/cost/counted_memory.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/onnx_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"
#include "tokenizers/files/tokenizer_json.h"
#include "weights/adapters/adapter_config.h"

namespace tensorguard::internal {
namespace {

struct Cost {
  size_t peak_bytes = 0;
  size_t taken_bytes = 0;
};

Cost CostOf(const std::function<void()>& read) {
  const CountedMemory counted;
  read();
  return {counted.peak_bytes(), counted.taken_bytes()};
}

// What every reader may take whatever it reads: windows, tables of its own, an error's text.
constexpr size_t kAlwaysBytes = 1 << 20;

void ExpectLinear(size_t bytes, size_t most_times, const std::function<void()>& read) {
  read();  // what is made once for all
  const Cost cost = CostOf(read);
  EXPECT_LE(cost.peak_bytes, kAlwaysBytes + most_times * bytes)
      << cost.peak_bytes / bytes << " times " << bytes << " bytes at once";
  EXPECT_LE(cost.taken_bytes, 4 * kAlwaysBytes + 4 * most_times * bytes)
      << cost.taken_bytes / bytes << " times " << bytes << " bytes in all";
}

void ExpectTorchLinear(const std::string& file) {
  ExpectLinear(file.size(), 256, [&] { (void)ReadTorchTable(SourceOf(std::string_view(file))); });
}

const std::string kData = FloatBytes({1, 2, 3, 4});

std::string Tensor() { return PickleTensor({.storage_elements = 4, .shape = {4}, .strides = {1}}); }

std::string Zip(const std::string& value) { return BuildTorchZip(value, {{"0", kData}}); }

std::string Repeated(const std::string& text, size_t count) {
  std::string repeated;
  repeated.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) repeated += text;
  return repeated;
}

TEST(Cost, PickleWhoseEntriesShareAList) {
  for (const bool with_tensor : {false, true}) {
    const std::string list =
        "]q\x01(" + (with_tensor ? Tensor() : std::string()) + Repeated("K\x01", 40'000) + "e0";
    std::string entries;
    for (int i = 0; i < 20'000; ++i) entries += PickleNumber(i) + "h\x01";
    ExpectTorchLinear(Zip(list + "}(" + PickleText("w") + Tensor() + entries + "u"));
  }
}

TEST(Cost, PickleThatHoldsItself) {
  ExpectTorchLinear(Zip("]q\x01(h\x01" + Repeated("K\x01", 200'000) + "e"));
  ExpectTorchLinear(
      Zip("]q\x02(" + Tensor() + "q\x01" + "h\x02" + Repeated("h\x01", 200'000) + "e"));
}

TEST(Cost, PickleThatCopiesADictionary) {
  const std::string pair = "]q\x01(" + Repeated("NN\x86", 20'000) + "e0";
  ExpectTorchLinear(
      Zip(pair + "(" + Repeated("ccollections\nOrderedDict\nh\x01\x85R", 5'000) + "t"));
}

TEST(Cost, PickleOfNestedListsAndLongKeys) {
  std::string nested = PickleList({Tensor()});
  for (int i = 0; i < 60; ++i) nested = "](" + nested + Repeated("K\x01", 3'000) + "e";
  ExpectTorchLinear(Zip(nested));
  const std::string key = PickleText(std::string(4096, 'k'));
  std::string deep = PickleDict({{"w", Tensor()}});
  for (int i = 0; i < 30; ++i) deep = "}(" + key + deep + "u";
  ExpectTorchLinear(Zip(deep));
}

TEST(Cost, StorageWithALongKeyThatManyTensorsUse) {
  const std::string key(100'000, '1');
  const std::string storage =
      PickleTuple({PickleText("storage"), PickleGlobalName("torch", "FloatStorage"),
                   PickleText(key), PickleText("cpu"), PickleNumber(4)}) +
      "q\x01Q0";
  const std::string value =
      storage + "}(" + PickleText("w") + Tensor() + "u" + Repeated("h\x01Q0", 50'000);
  ExpectTorchLinear(BuildTorchLegacy(value, {{"0", kData}, {key, kData}}));
  ExpectTorchLinear(Zip(value));
}

TEST(Cost, ExpressionsOfAnAdapter) {
  const ScratchFolder folder;
  std::string patterns;
  for (int i = 0; i < 1500; ++i) {
    patterns += fmt::format("{}\"(a{{999}}){{4}}{}\":8", i == 0 ? "" : ",", i);
    if (i != 900 && i != 1499) continue;  // fewer than the limit, and more
    const auto path = folder.Write("adapter_config.json",
                                   "{\"peft_type\":\"LORA\",\"rank_pattern\":{" + patterns + "}}");
    const Cost cost = CostOf([&] { (void)ReadAdapterConfig(path, *LocalFiles()); });
    EXPECT_LE(cost.peak_bytes, 48u << 20);
  }
}

// The first is a file of a few kilobytes on the disk, and of many when it is read.
TEST(Cost, ArraysOfGguf) {
  const std::string types =
      BuildRawGguf(3, 0, 1,
                   GgufPair("tokenizer.ggml.token_type", 9,
                            GgufBytes<uint32_t>(0) + GgufBytes<uint64_t>(200'000'000)));
  ExpectLinear(types.size(), 1, [&] { (void)ParseGgufHeader(types, 300'000'000); });
  std::vector<std::string> arrays;
  for (int i = 0; i < 1000; ++i) {
    arrays.push_back(
        GgufPair(fmt::format("{}", i), 9,
                 GgufBytes<uint32_t>(0) + GgufBytes<uint64_t>(8192) + std::string(8192, '\0')));
  }
  const std::string file = BuildGguf(arrays, {});
  ExpectLinear(file.size(), 24, [&] { (void)ParseGgufHeader(file, file.size()); });
}

TEST(Cost, AttributesAndNodesOfOnnx) {
  const auto read = [](const std::string& file) {
    ExpectLinear(file.size(), 200, [&] { (void)ParseOnnx(SourceOf(std::string_view(file))); });
  };
  std::string node;
  for (int i = 0; i < 20'000; ++i) {
    node += ProtobufBytesField(5, ProtobufBytesField(1, fmt::format("{:x}", i)) +
                                      ProtobufBytesField(8, std::string(64, '\1')));
  }
  read(ProtobufBytesField(7, ProtobufBytesField(1, ProtobufBytesField(2, "x") + node)));
  read(ProtobufBytesField(7, Repeated(ProtobufBytesField(1, ProtobufBytesField(2, "")), 100'000)));
  std::string tensors;
  for (int i = 0; i < 20'000; ++i) {
    tensors += ProtobufBytesField(5, OnnxTensorOf(fmt::format("{:x}", i), kOnnxUint8, {0}, ""));
  }
  read(ProtobufBytesField(7, tensors));
}

TEST(Cost, ValuesOfJson) {
  for (const char* value : {"{}", "[]", "\"\"", "0", "{\"a\":[]}"}) {
    const std::string text = "[" + Repeated(std::string(value) + ",", 200'000) + "0]";
    ExpectLinear(text.size(), 60, [&] { (void)ParseJson(text); });
  }
  const std::string many = "[" + Repeated("{},", 5'000'000) + "0]";
  ExpectLinear(many.size(), 12, [&] { EXPECT_FALSE(ParseJson(many)); });
}

TEST(Cost, HeadersOfSafetensors) {
  std::string metadata;
  for (int i = 0; i < 60'000; ++i) metadata += fmt::format("{}\"{:x}\":\"\"", i == 0 ? "" : ",", i);
  std::string tensors;
  for (int i = 0; i < 60'000; ++i) {
    tensors += fmt::format("{}\"{:x}\":{{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                           i == 0 ? "" : ",", i);
  }
  for (const std::string& header : {"{\"__metadata__\":{" + metadata + "}}", "{" + tensors + "}"}) {
    ExpectLinear(header.size(), 24,
                 [&] { EXPECT_TRUE(ParseSafetensorsHeader(header, 8 + header.size())); });
  }
}

TEST(Cost, EntriesOfNumpy) {
  std::vector<BuiltZipEntry> entries;
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }\n";
  const std::string array =
      std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  for (int i = 0; i < 10'000; ++i) entries.push_back({fmt::format("{}.npy", i), array});
  const std::string file = BuildZip(entries);
  ExpectLinear(file.size(), 16, [&] { (void)ReadNumpyTable(SourceOf(std::string_view(file))); });
}

TEST(Cost, TokensOfATokenizer) {
  std::string vocabulary;
  for (int i = 0; i < 100'000; ++i) {
    vocabulary += fmt::format("{}\"\u0120{:x}\":{}", i == 0 ? "" : ",", i, i);
  }
  const std::string text = "{\"model\":{\"type\":\"BPE\",\"vocab\":{" + vocabulary + "}}}";
  ExpectLinear(text.size(), 24, [&] { EXPECT_TRUE(ParseTokenizerJson(text)); });
}

}  // namespace
}  // namespace tensorguard::internal
