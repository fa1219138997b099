#include "formats/torch/torch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/shared_data.h"
#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Result<TensorTable> Read(const std::string& bytes) {
  return ReadTorchTable(SourceOf(std::string_view(bytes)));
}

std::string Problem(const std::string& bytes) {
  const auto table = Read(bytes);
  return table ? "no error" : DescribeError(table.error());
}

std::vector<std::string> Names(const std::string& bytes) {
  const auto table = Read(bytes);
  if (!table) return {DescribeError(table.error())};
  std::vector<std::string> names;
  for (const TensorEntry& entry : table->tensors) names.push_back(entry.name);
  return names;
}

// Two by three, in a storage of eight.
const BuiltTorchTensor kTensor = {.storage_elements = 8, .shape = {2, 3}, .strides = {3, 1}};
const std::string kData = FloatBytes({0, 1, 2, 3, 4, 5, 6, 7});

std::string Tensor() { return PickleTensor(kTensor); }

std::string Zip(const std::string& value) { return BuildTorchZip(value, {{"0", kData}}); }

TEST(Torch, ViewsOfOneStorageInBothForms) {
  BuiltTorchTensor transposed = kTensor;
  transposed.shape = {3, 2};
  transposed.strides = {1, 3};
  transposed.first_element = 2;
  const std::string value = PickleDict({{"b", PickleTensor(transposed)}, {"a", Tensor()}});
  for (const std::string& bytes : {Zip(value), BuildTorchLegacy(value, {{"0", kData}})}) {
    const auto table = Read(bytes);
    ASSERT_TRUE(table) << DescribeError(table.error());
    ASSERT_EQ(table->tensors.size(), 2u);
    const TensorEntry& a = table->tensors[0];
    const TensorEntry& b = table->tensors[1];
    EXPECT_EQ(a.name, "a");
    EXPECT_EQ(a.dtype, DType::kF32);
    EXPECT_THAT(a.shape, ElementsAre(2, 3));
    EXPECT_THAT(a.strides, IsEmpty());
    EXPECT_EQ(bytes.substr(a.data_begin_bytes, 24), kData.substr(0, 24));
    EXPECT_THAT(b.strides, ElementsAre(1, 3));
    EXPECT_EQ(b.data_begin_bytes, a.data_begin_bytes + 8);
    EXPECT_EQ(b.data_end_bytes, b.data_begin_bytes + 24);
  }
}

TEST(Torch, NamesArePathsOfKeys) {
  EXPECT_THAT(Names(Zip(Tensor())), ElementsAre("tensor"));
  EXPECT_THAT(Names(Zip(PickleList({Tensor(), Tensor()}))), ElementsAre("0", "1"));
  EXPECT_THAT(Names(Zip(PickleDict({{"layer", PickleDict({{"w", Tensor()}})},
                                    {"other", PickleDict({{"w", Tensor()}})},
                                    {"version", PickleNumber(1)}}))),
              ElementsAre("layer.w", "other.w"));
  const std::string twins = PickleDict({{"a.b", Tensor()}, {"a", PickleDict({{"b", Tensor()}})}});
  EXPECT_THAT(Problem(Zip(twins)), StartsWith("tensor \"a.b\": two tensors have the same name"));
}

TEST(Torch, WrappersAreTakenOffAndTrainingIsLeftOut) {
  const std::string state = PickleDict({{"l.w", Tensor()}});
  const std::string optimizer = PickleDict({{"state", PickleDict({{"0", Tensor()}})}});
  for (const char* key : {"state_dict", "model", "module", "model_state_dict", "ema"}) {
    const auto table =
        Read(Zip(PickleDict({{key, state}, {"optimizer", optimizer}, {"epoch", PickleNumber(3)}})));
    ASSERT_TRUE(table) << DescribeError(table.error());
    ASSERT_EQ(table->tensors.size(), 1u) << key;
    EXPECT_EQ(table->tensors[0].name, "l.w");
    EXPECT_EQ(table->metadata.at(std::string(kTorchLeftOut)), "optimizer");
  }
  EXPECT_THAT(Names(Zip(PickleDict({{"state_dict", PickleDict({{"model", state}})}}))),
              ElementsAre("l.w"));
  // Of a plain dictionary the key is part of the name.
  EXPECT_THAT(Names(Zip(PickleDict({{"model", Tensor()}}))), ElementsAre("model"));
}

// Counters, losses and states of random generators are tensors in many training scripts.
TEST(Torch, NumbersOfTheTrainingBesideTheModelAreLeftOut) {
  BuiltTorchTensor number = kTensor;
  number.shape = {};
  number.strides = {};
  const std::string state = PickleDict({{"l.w", Tensor()}});
  const auto table = Read(Zip(PickleDict({{"best_val_loss", PickleTensor(number)},
                                          {"model", state},
                                          {"rng_state", Tensor()},
                                          {"np_rng_state", PickleList({Tensor()})},
                                          {"last_optimizer_state", state}})));
  ASSERT_TRUE(table) << DescribeError(table.error());
  ASSERT_EQ(table->tensors.size(), 1u);
  EXPECT_EQ(table->tensors[0].name, "l.w");
  EXPECT_EQ(table->metadata.at(std::string(kTorchLeftOut)),
            "best_val_loss, rng_state, np_rng_state, last_optimizer_state");
  // Beside what is no wrapper they may belong to the model.
  EXPECT_THAT(Names(Zip(PickleDict({{"scale", PickleTensor(number)}, {"encoder", state}}))),
              ElementsAre("encoder.l.w", "scale"));
  EXPECT_THAT(Names(Zip(PickleDict({{"mean", Tensor()}, {"model", state}}))),
              ElementsAre("mean", "model.l.w"));
}

// torch.save(..., pickle_protocol=4, _use_new_zipfile_serialization=False)
TEST(Torch, TheFormBeforeZipInAnyProtocol) {
  const std::string value = PickleDict({{"w", Tensor()}});
  for (const char protocol : {'\3', '\4', '\5'}) {
    std::string file = BuildTorchLegacy(value, {{"0", kData}});
    file[1] = protocol;
    EXPECT_EQ(Problem(file), "no error");
    const std::string frame = std::string("\x95\x0d", 2) + std::string(7, '\0');
    if (protocol == '\3') continue;
    EXPECT_EQ(Problem(file.insert(2, frame)), "no error");
  }
}

TEST(Torch, SeveralModelsAreListed) {
  const std::string state = PickleDict({{"l.w", Tensor()}});
  for (const auto& keys : std::vector<std::pair<std::string, std::string>>{
           {"model", "ema"}, {"generator", "discriminator"}, {"state_dict", "model"}}) {
    const auto table = Read(Zip(PickleDict({{keys.first, state}, {keys.second, state}})));
    ASSERT_FALSE(table);
    EXPECT_EQ(table.error().kind, ErrorKind::kUsage);
    EXPECT_EQ(table.error().found, keys.first + ", " + keys.second);
  }
}

TEST(Torch, ParametersAndTypesAreTensors) {
  const std::string parameter =
      PickleCall(PickleGlobalName("torch._utils", "_rebuild_parameter"), {Tensor(), "\x89", "N"});
  EXPECT_THAT(Names(Zip(PickleDict({{"p", parameter}}))), ElementsAre("p"));
  BuiltTorchTensor bytes = kTensor;
  bytes.storage_type = "UntypedStorage";
  bytes.storage_elements = 8;
  bytes.shape = {2, 4};
  bytes.strides = {4, 1};
  // _rebuild_tensor_v3 has the type as its last argument.
  std::string typed = PickleTensor(bytes);
  typed.replace(typed.find("_v2"), 3, "_v3");
  typed.insert(typed.size() - 2, PickleGlobalName("torch", "float8_e4m3fn"));
  const auto table = Read(BuildTorchZip(typed, {{"0", "12345678"}}));
  ASSERT_TRUE(table) << DescribeError(table.error());
  EXPECT_EQ(table->tensors[0].dtype, DType::kF8E4M3);
  EXPECT_THAT(Problem(BuildTorchZip(PickleTensor(bytes), {{"0", "12345678"}})),
              HasSubstr("tensor has no type"));
}

TEST(Torch, TensorsThatLie) {
  const auto problem = [](const BuiltTorchTensor& tensor) {
    return Problem(Zip(PickleDict({{"w", PickleTensor(tensor)}})));
  };
  BuiltTorchTensor lying = kTensor;
  lying.first_element = 3;
  EXPECT_THAT(problem(lying),
              StartsWith("tensor \"w\": tensor reaches past the end of its storage"));
  lying = kTensor;
  lying.shape = {2, -3};
  EXPECT_THAT(problem(lying), HasSubstr("no whole numbers"));
  lying = kTensor;
  lying.strides = {1};
  EXPECT_THAT(problem(lying), HasSubstr("different lengths"));
  lying = kTensor;
  lying.storage_elements = 9;
  EXPECT_THAT(problem(lying), HasSubstr("storage has another length than the tensor says"));
  lying = kTensor;
  lying.storage_key = "1";
  EXPECT_THAT(problem(lying), HasSubstr("tensor's storage is missing\n  found:    archive/data/1"));
  lying.storage_key = "../../../etc/passwd";
  EXPECT_THAT(problem(lying), HasSubstr("tensor's storage is missing"));
  lying = kTensor;
  lying.shape = {1 << 30, 1 << 30};
  lying.strides = {0, 0};
  EXPECT_THAT(problem(lying), HasSubstr("tensors say they hold far more than the file does"));
  lying.storage_type = "QInt8Storage";
  EXPECT_THAT(problem(lying), HasSubstr("torch.QInt8Storage"));
}

TEST(Torch, FilesOfAnotherKindAreNamed) {
  const std::string value = PickleDict({{"w", Tensor()}});
  EXPECT_THAT(Problem(BuildTorchZip(value, {{"0", kData}}, {{"byteorder", "big"}})),
              StartsWith("file was written on a big-endian machine"));
  EXPECT_EQ(Problem(BuildTorchZip(value, {{"0", kData}}, {{"byteorder", "little"}})), "no error");
  EXPECT_THAT(Problem(BuildTorchZip(value, {{"0", kData}}, {{"constants.pkl", "x"}})),
              StartsWith("file is a TorchScript program"));
  EXPECT_THAT(Problem(BuildTorchZip(value, {{"0", kData}}, {{"code/__torch__.py", "x"}})),
              StartsWith("file is a TorchScript program"));
  EXPECT_THAT(Problem(BuildTorchLegacy(value, {{"0", kData}}, /*little_endian=*/false)),
              StartsWith("file was written on a big-endian machine"));
  EXPECT_THAT(Problem(BuildZip({{"word/document.xml", "x"}})),
              StartsWith("zip archive is not one that PyTorch writes"));
  EXPECT_THAT(Problem(BuildZip({{"archive/data.pkl", Deflate("N."), 8}})),
              StartsWith("zip entry is packed"));
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_THAT(Problem(tar), StartsWith("a tar archive, the form of PyTorch before 2018"));
  EXPECT_THAT(Problem(WholePickle("N")), StartsWith("a Python pickle that PyTorch did not write"));
  EXPECT_THAT(Problem("abc"), StartsWith("not a PyTorch file"));
  EXPECT_THAT(Problem(""), StartsWith("not a PyTorch file"));
}

TEST(Torch, LegacyStoragesThatLie) {
  const std::string value = PickleDict({{"w", Tensor()}});
  const std::string good = BuildTorchLegacy(value, {{"0", kData}});
  EXPECT_EQ(Problem(good), "no error");
  EXPECT_THAT(Problem(good.substr(0, good.size() - 1)),
              StartsWith("storage ends past the end of the file"));
  EXPECT_THAT(Problem(BuildTorchLegacy(value, {{"0", kData.substr(4)}})),
              StartsWith("storage has another length"));
  EXPECT_THAT(Problem(BuildTorchLegacy(value, {{"1", kData}})),
              StartsWith("file lists a storage that no tensor has"));
  EXPECT_THAT(Problem(BuildTorchLegacy(value, {})), HasSubstr("tensor's storage is missing"));
}

// Shared values that make few bytes look like many, and a value inside itself.
TEST(Torch, BombsAndCircles) {
  std::string laughs = PickleNumber(1) + "q\x01" + "0";
  for (char i = 2; i < 60; ++i) {
    laughs += std::string("](h") + static_cast<char>(i - 1);
    for (int j = 0; j < 9; ++j) laughs += std::string("h") + static_cast<char>(i - 1);
    laughs += std::string("eq") + i + "0";
  }
  const std::string often = "nested deeper, or repeated more often";
  // Without a tensor there is nothing to walk to.
  EXPECT_EQ(Problem(Zip(laughs + "h\x3B")), "no error");
  laughs.replace(0, PickleNumber(1).size(), Tensor());
  EXPECT_THAT(Problem(Zip(laughs + "h\x3B")), HasSubstr("more tensors, or longer names"));
  EXPECT_EQ(Problem(Zip("]q\x01h\x01"
                        "a")),
            "no error");
  EXPECT_THAT(Problem(Zip("]q\x01(h\x01" + Tensor() + "e")), HasSubstr(often));
  EXPECT_THAT(
      Problem(Zip("}q\x01(" + PickleText("a") + "h\x01" + PickleText("w") + Tensor() + "u")),
      HasSubstr(often));
}

TEST(Torch, PublishedFiles) {
  const auto folder = SharedData("real/parser/torch");
  SKIP_WITHOUT(folder);
  size_t read = 0;
  for (const auto& path : std::filesystem::directory_iterator(folder)) {
    if (path.path().extension() == ".safetensors") continue;
    const auto file = File::Open(path.path());
    ASSERT_TRUE(file);
    const auto table = ReadTorchTable(**file);
    if (path.path().filename() == "broken.pt") {
      EXPECT_THAT(table.error().problem, "not a PyTorch file");
      continue;
    }
    ASSERT_TRUE(table) << DescribeError(table.error());
    EXPECT_FALSE(table->tensors.empty());
    ++read;
  }
  EXPECT_EQ(read, 33u);
}

}  // namespace
}  // namespace tensorguard::internal
