// Every architecture that lies in the shared material, written by its own library with shapes and
// config: which roles each layer has, head, depth, packing and orientation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "architecture/architecture.h"
#include "architecture/config_view.h"
#include "base/file.h"
#include "safetensors/safetensors.h"
#include "tests/support/expected_architectures.h"
#include "tests/support/named_tensors.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

struct LoadedModel {
  Json config;
  std::vector<TensorInfo> tensors;
};

LoadedModel Load(const std::filesystem::path& folder) {
  LoadedModel model;
  auto config = ReadJsonFile(folder / "config.json");
  EXPECT_TRUE(config) << folder;
  if (config) model.config = *std::move(config);
  const auto file = File::Open(folder / "model.safetensors");
  EXPECT_TRUE(file) << folder;
  if (!file) return model;
  const auto table = ReadSafetensorsTable(**file);
  EXPECT_TRUE(table) << folder;
  if (!table) return model;
  for (const TensorEntry& entry : table->tensors) {
    model.tensors.push_back(MakeTensor(entry.name, entry.shape));
  }
  return model;
}

std::filesystem::path Architectures() { return SharedData("real/architectures"); }

class RealArchitecture : public ::testing::TestWithParam<Expected> {};

TEST_P(RealArchitecture, GivesEveryTensorItsRole) {
  SKIP_WITHOUT(Architectures());
  const Expected& expected = GetParam();
  const LoadedModel model = Load(Architectures() / expected.folder);
  const Architecture architecture = Understand(model.config, model.tensors);

  EXPECT_EQ(architecture.name, expected.name);
  EXPECT_EQ(architecture.known_by, "config");
  EXPECT_EQ(architecture.tied_head, expected.tied_head);
  // ALBERT applies its one stored layer num_hidden_layers times.
  if (expected.folder != "albert") {
    EXPECT_EQ(architecture.layers, ConfigView(model.config).Layers());
  }
  EXPECT_EQ(architecture.main_stack, expected.encoder.empty() ? "" : "decoder");
  EXPECT_EQ(DescribeStack(architecture, architecture.main_stack), expected.main);
  EXPECT_EQ(DescribeStack(architecture, "encoder"), expected.encoder);
  EXPECT_TRUE(architecture.unassigned.empty());
}

TEST_P(RealArchitecture, PacksFusedTensorsAsItsLibraryDoes) {
  SKIP_WITHOUT(Architectures());
  const Expected& expected = GetParam();
  const LoadedModel model = Load(Architectures() / expected.folder);
  for (const TensorRole& role : Understand(model.config, model.tensors).roles) {
    if (role.role == Role::kQueryKeyValue) {
      EXPECT_EQ(role.packing, expected.attention);
    }
    if (role.role == Role::kQuery) {
      EXPECT_EQ(role.packing, expected.attention);
    }
    if (role.role == Role::kGateUp) {
      EXPECT_EQ(role.packing, expected.gate);
    }
  }
}

// All of these have a hidden width of 48: a tensor that reads the residual stream has it as input,
// one that writes it as output, whichever way it is stored.
TEST_P(RealArchitecture, StoresMatricesAsTheirShapesSay) {
  SKIP_WITHOUT(Architectures());
  constexpr uint64_t kHidden = 48;
  const std::set<Role> reads = {Role::kQuery,         Role::kKey,       Role::kValue,
                                Role::kQueryKeyValue, Role::kGate,      Role::kUp,
                                Role::kGateUp,        Role::kRouter,    Role::kQueryDown,
                                Role::kKeyValueDown,  Role::kOutputHead};
  const std::set<Role> writes = {Role::kOutputProjection, Role::kDown};
  const LoadedModel model = Load(Architectures() / GetParam().folder);
  const Architecture architecture = Understand(model.config, model.tensors);
  size_t checked = 0;
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const TensorRole& role = architecture.roles[i];
    const auto& shape = model.tensors[i].shape;
    const size_t stacked = role.stacked_experts ? 1 : 0;
    if (role.is_bias || shape.size() != 2 + stacked) continue;
    const uint64_t input = role.input_major ? shape[stacked] : shape[stacked + 1];
    const uint64_t output = role.input_major ? shape[stacked + 1] : shape[stacked];
    if (reads.contains(role.role)) {
      EXPECT_EQ(input, kHidden) << model.tensors[i].name;
    }
    if (writes.contains(role.role)) {
      EXPECT_EQ(output, kHidden) << model.tensors[i].name;
    }
    checked += reads.contains(role.role) || writes.contains(role.role) ? 1 : 0;
  }
  const bool only_mixers = GetParam().folder == "mamba";  // and a tied head
  EXPECT_EQ(checked == 0, only_mixers);
}

// Without config.json the names and shapes must still give the same roles and layers.
TEST_P(RealArchitecture, ReadsTheSameWithoutConfig) {
  SKIP_WITHOUT(Architectures());
  const LoadedModel model = Load(Architectures() / GetParam().folder);
  const Architecture with = Understand(model.config, model.tensors);
  const Architecture without = Understand(Json(), model.tensors);
  EXPECT_EQ(without.known_by, "names");
  EXPECT_EQ(without.layers, with.layers);
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    EXPECT_EQ(DescribeRole(without.roles[i]), DescribeRole(with.roles[i])) << model.tensors[i].name;
    EXPECT_EQ(without.roles[i].input_major, with.roles[i].input_major) << model.tensors[i].name;
    EXPECT_EQ(without.roles[i].layer, with.roles[i].layer) << model.tensors[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RealArchitecture, ::testing::ValuesIn(kExpected),
                         [](const auto& parameter) {
                           std::string name = parameter.param.folder;
                           for (char& c : name) {
                             if (c == '-') c = '_';
                           }
                           return name;
                         });

TEST(RealArchitectures, AreAllExpectedAbove) {
  SKIP_WITHOUT(Architectures());
  std::set<std::string> expected;
  for (const Expected& row : kExpected) expected.insert(row.folder);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(Architectures())) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, expected);
}

TEST(RealArchitectures, OnlyGpt2AndSomeStackedExpertsAreInputMajor) {
  SKIP_WITHOUT(Architectures());
  std::set<std::string> plain;
  std::set<std::string> stacked;
  for (const Expected& row : kExpected) {
    const LoadedModel model = Load(Architectures() / row.folder);
    for (const TensorRole& role : Understand(model.config, model.tensors).roles) {
      if (role.input_major) (role.stacked_experts ? stacked : plain).insert(row.folder);
    }
  }
  EXPECT_EQ(plain, std::set<std::string>({"gpt2"}));
  EXPECT_EQ(stacked, std::set<std::string>({"gpt-oss", "llama4-text"}));
}

// GPT-2's output projection is square: it follows its neighbours.
TEST(RealArchitectures, SquareMatricesOfGpt2AreInputMajorToo) {
  SKIP_WITHOUT(Architectures());
  const LoadedModel model = Load(Architectures() / "gpt2");
  const Architecture architecture = Understand(model.config, model.tensors);
  size_t outputs = 0;
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const TensorRole& role = architecture.roles[i];
    if (role.role != Role::kOutputProjection || role.is_bias) continue;
    EXPECT_TRUE(role.input_major) << model.tensors[i].name;
    ++outputs;
  }
  EXPECT_EQ(outputs, 3u);
}

}  // namespace
}  // namespace tensorguard::internal
