// Names of published models (indexes without weights) and computed lists of names and shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "architecture/architecture.h"
#include "architecture/config_view.h"
#include "tests/support/expected_layouts.h"
#include "tests/support/named_tensors.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

struct NamedModel {
  Json config;
  std::vector<TensorInfo> tensors;
};

std::filesystem::path Layouts() { return SharedData("real/layouts"); }

// The index of a published model; empty if the folder has none.
std::filesystem::path IndexIn(const std::filesystem::path& folder) {
  for (const char* name : {"model.safetensors.index.json", "pytorch_model.bin.index.json"}) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  return {};
}

NamedModel LoadIndex(const std::filesystem::path& folder) {
  NamedModel model;
  auto config = ReadJsonFile(folder / "config.json");
  EXPECT_TRUE(config) << folder;
  if (config) model.config = *std::move(config);
  const auto index = ReadJsonFile(IndexIn(folder), kIndexJsonLimitBytes);
  EXPECT_TRUE(index) << folder;
  if (!index) return model;
  for (const auto& [name, shard] : index->at("weight_map").items()) {
    model.tensors.push_back(MakeTensor(name));
  }
  return model;
}

// "0-2,5" as 0, 1, 2, 5.
std::vector<int> ParseRanges(const std::string& text) {
  std::vector<int> numbers;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string range = text.substr(begin, end - begin);
    const size_t dash = range.find('-');
    const int first = std::stoi(range);
    const int last = dash == std::string::npos ? first : std::stoi(range.substr(dash + 1));
    for (int i = first; i <= last; ++i) numbers.push_back(i);
    begin = end + 1;
  }
  return numbers;
}

std::string Replace(std::string text, std::string_view what, const std::string& with) {
  const size_t at = text.find(what);
  return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

// A computed list: patterns with {i} (layer) and {j} (expert), their ranges and shapes.
NamedModel LoadPatterns(const Json& list) {
  NamedModel model;
  if (list.contains("config")) model.config = list["config"];
  for (const auto& [pattern, entry] : list.at("tensors").items()) {
    const auto shape = entry.contains("shape") ? entry["shape"] : entry.at("shapes").at(0);
    for (const int layer : ParseRanges(entry.value("i", "0"))) {
      for (const int expert : ParseRanges(entry.value("j", "0"))) {
        const std::string name =
            Replace(Replace(pattern, "{i}", std::to_string(layer)), "{j}", std::to_string(expert));
        model.tensors.push_back(MakeTensor(name, shape.get<std::vector<uint64_t>>()));
      }
    }
  }
  return model;
}

class RealLayout : public ::testing::TestWithParam<ExpectedLayout> {};

TEST_P(RealLayout, GivesEveryTensorItsRole) {
  SKIP_WITHOUT(Layouts());
  const ExpectedLayout& expected = GetParam();
  const NamedModel model = LoadIndex(Layouts() / expected.folder);
  const Architecture architecture = Understand(model.config, model.tensors);
  EXPECT_EQ(architecture.name, expected.name);
  EXPECT_EQ(architecture.tied_head, expected.tied_head);
  EXPECT_THAT(DescribeStack(architecture, architecture.main_stack),
              ::testing::StartsWith(expected.main));
  if (const auto layers = ConfigView(model.config).Layers()) {
    EXPECT_EQ(architecture.layers, *layers);
  }
}

INSTANTIATE_TEST_SUITE_P(All, RealLayout, ::testing::ValuesIn(kExpectedLayouts),
                         [](const auto& parameter) {
                           std::string name = parameter.param.folder;
                           for (char& c : name) {
                             if (c == '-' || c == '.') c = '_';
                           }
                           return name;
                         });

TEST(RealLayouts, AreAllExpected) {
  SKIP_WITHOUT(Layouts());
  std::set<std::string> expected;
  for (const ExpectedLayout& row : kExpectedLayouts) expected.insert(row.folder);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(Layouts())) {
    if (!IndexIn(entry.path()).empty()) found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, expected);
}

TEST(RealLayouts, ReadTheHeaderOfASentenceEncoder) {
  const auto folder = Layouts() / "all-minilm-l6-v2-bert";
  SKIP_WITHOUT(folder);
  const auto config = ReadJsonFile(folder / "config.json");
  const auto header = ReadJsonFile(folder / "safetensors-header.json");
  ASSERT_TRUE(config && header);
  std::vector<TensorInfo> tensors;
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") continue;
    tensors.push_back(MakeTensor(name, entry.at("shape").get<std::vector<uint64_t>>()));
  }
  const Architecture architecture = Understand(*config, tensors);
  EXPECT_EQ(DescribeStack(architecture, ""),
            "buffer embedding norm position_embedding*2 task_head | 0-5: down key norm*2 "
            "output_projection query up value");
  EXPECT_TRUE(architecture.unassigned.empty());
}

// Name of the list or folder -> number of matrices left without a role. docs/roles.md
// argues each; a row here that is not true any more fails.
using UnassignedCounts = std::map<std::string, size_t>;

TEST(RealLayouts, LeaveOnlyArguedMatricesUnassigned) {
  SKIP_WITHOUT(Layouts());
  UnassignedCounts unassigned;
  for (const ExpectedLayout& row : kExpectedLayouts) {
    const NamedModel model = LoadIndex(Layouts() / row.folder);
    const size_t count = Understand(model.config, model.tensors).unassigned.size();
    if (count > 0) unassigned[row.folder] = count;
  }
  EXPECT_EQ(unassigned, UnassignedCounts({{"deepseek-ocr-2", 2},  // learned queries
                                          {"mimo-7b-mtp", 1},     // joins hidden state and token
                                          {"nv-embed-v2", 1}}));  // learned latents
}

TEST(RealLayouts, LeaveOnlyArguedMatricesOfComputedListsUnassigned) {
  SKIP_WITHOUT(Layouts() / "expected");
  UnassignedCounts unassigned;
  size_t lists = 0;
  for (const auto& file : std::filesystem::directory_iterator(Layouts() / "expected")) {
    const std::string name = file.path().stem().string();
    // Templates without shapes: see the next test.
    if (name == "mergekit-templates" || name == "opt") continue;
    const auto list = ReadJsonFile(file.path());
    ASSERT_TRUE(list) << name;
    const NamedModel model = LoadPatterns(*list);
    const Architecture architecture = Understand(model.config, model.tensors);
    if (!architecture.unassigned.empty()) unassigned[name] = architecture.unassigned.size();
    ++lists;
    EXPECT_EQ(architecture.main_stack, "") << name;
    if (name == "mlx-lm.afm7") continue;  // half of its layers lie in a list of their own
    const auto layers = ConfigView(model.config).Layers();
    EXPECT_EQ(architecture.layers, layers.value_or(architecture.layers)) << name;
  }
  EXPECT_EQ(lists, 107u);
  EXPECT_EQ(unassigned,
            UnassignedCounts({{"deepseek-v3.2-671b", 183},              // indexer
                              {"mlx-lm.deepseek_v32", 12},              // indexer
                              {"deepseek-v4-flash-284b-hf-port", 358},  // indexer, compressor,
                                                                        // hyper-connections
                              {"mlx-lm.gemma3n", 36},                   // alternating updates
                              {"mlx-lm.gemma4_text", 22},               // inputs per layer
                              {"mlx-lm.iquestloopcoder", 2},            // gates of its loops
                              {"mlx-lm.longcat_flash_ngram", 24}}));    // hashed n-grams
}

TEST(RealLayouts, KnowAllNamesOfTheTemplates) {
  const auto file = Layouts() / "expected" / "mergekit-templates.json";
  SKIP_WITHOUT(file);
  const auto templates = ReadJsonFile(file);
  ASSERT_TRUE(templates);
  std::set<std::string> unknown;
  for (const auto& [key, architecture] : templates->at("architectures").items()) {
    NamedModel model;
    model.config = {{"model_type", architecture.at("model_type")}};
    for (const Json& weight : architecture.at("weights")) {
      const auto name = weight.at("name").get<std::string>();
      model.tensors.push_back(MakeTensor(Replace(Replace(name, "{i}", "1"), "{j}", "0")));
    }
    const Architecture read = Understand(model.config, model.tensors);
    for (const size_t i : read.unassigned) unknown.insert(key + ": " + model.tensors[i].name);
  }
  // The template of Whisper lacks a dot.
  EXPECT_EQ(unknown, std::set<std::string>({"whisper: model.decoderembed_positions.weight",
                                            "whisper: model.decoderembed_tokens.weight"}));
}

}  // namespace
}  // namespace tensorguard::internal
