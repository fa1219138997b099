// Adapters made elsewhere: the zoo's, of which the merged model is known, and published ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "tests/support/memory_weights.h"
#include "tests/support/shared_data.h"
#include "weights/adapters/adapter.h"
#include "weights/files/stored_weights.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

std::vector<float> ReadTensor(const WeightSource& weights, size_t index) {
  std::vector<float> values(weights.tensors()[index].element_count);
  auto read = weights.ReadFloat32(index, 0, values);
  EXPECT_TRUE(read) << DescribeError(read.error());
  return values;
}

// The distance of two neighbours among bfloat16 numbers (8 significant bits) of about this size.
double Bfloat16Step(float value) {
  if (value == 0) return 0;
  return std::ldexp(1.0, std::ilogb(value) - 7);
}

// The zoo merged its adapters in float32 into the base as it was before it was stored in bfloat16,
// and stored the sum in bfloat16. So both roundings, half a step of the base's number and half a
// step of the sum, lie between our merge and theirs; nothing else may.
void ExpectMergedEquals(const std::string& base_name, const std::string& adapter_name,
                        const std::string& merged_name) {
  auto base = OpenStoredWeights(SharedData("zoo") / base_name);
  ASSERT_TRUE(base) << DescribeError(base.error());
  auto expected = OpenStoredWeights(SharedData("zoo") / merged_name);
  ASSERT_TRUE(expected) << DescribeError(expected.error());
  auto merged = MergeAdapter(*base, SharedData("zoo") / adapter_name);
  ASSERT_TRUE(merged) << DescribeError(merged.error());

  ASSERT_EQ((*merged)->tensors().size(), (*expected)->tensors().size());
  uint64_t elements = 0, changed = 0, rounded_alike = 0;
  for (size_t t = 0; t < (*merged)->tensors().size(); ++t) {
    const std::string& name = (*merged)->tensors()[t].name;
    ASSERT_EQ(name, (*expected)->tensors()[t].name);
    ASSERT_EQ((*merged)->tensors()[t].shape, (*expected)->tensors()[t].shape);
    const std::vector<float> ours = ReadTensor(**merged, t);
    const std::vector<float> theirs = ReadTensor(**expected, t);
    const std::vector<float> before = ReadTensor(**base, t);
    if (ours == before) {  // not a target of the adapter
      ASSERT_EQ(ours, theirs) << name;
      continue;
    }
    for (size_t i = 0; i < ours.size(); ++i) {
      const double half_step = Bfloat16Step(theirs[i]) / 2;
      const double difference = std::abs(static_cast<double>(ours[i]) - theirs[i]);
      ASSERT_LE(difference, Bfloat16Step(before[i]) / 2 + half_step + 1e-7) << name << " " << i;
      ++elements;
      changed += theirs[i] != before[i] ? 1 : 0;
      rounded_alike += difference <= half_step ? 1 : 0;
    }
  }
  EXPECT_GT(changed, elements / 2) << "the adapter hardly changes the base: nothing is tested";
  EXPECT_GT(rounded_alike, elements * 7 / 10);  // found: 0.716 of both
}

TEST(AdapterSharedTest, ZooAdaptersEqualTheirMergedModels) {
  SKIP_WITHOUT(SharedData("zoo"));
  ExpectMergedEquals("alder", "alder--adapter", "alder--lora");
  ExpectMergedEquals("cedar", "cedar--adapter", "cedar--lora");
}

TEST(AdapterSharedTest, ZooAdapterOnAnotherBaseIsRefused) {
  SKIP_WITHOUT(SharedData("zoo"));
  const std::map<std::string, const char*> problems = {
      {"alder--prune-ffn", "a base of another shape"},
      {"fir", "a tensor that the base does not have"},
  };
  for (const auto& [base_name, problem] : problems) {
    auto base = OpenStoredWeights(SharedData("zoo") / base_name);
    ASSERT_TRUE(base) << DescribeError(base.error());
    auto merged = MergeAdapter(*base, SharedData("zoo/alder--adapter"));
    ASSERT_FALSE(merged) << base_name;
    EXPECT_EQ(merged.error().kind, ErrorKind::kMismatch) << base_name;
    EXPECT_THAT(merged.error().problem, HasSubstr(problem)) << base_name;
  }
}

struct PublishedCase {
  const char* folder;
  const char* file;
  std::string base_prefix;  // in the base's names, in place of "base_model.model."
  float scaling;
  bool inputs_first;  // the base's matrices are stored [inputs, outputs]
};

const std::vector<PublishedCase>& PublishedCases() {
  static const std::vector<PublishedCase> cases = {
      {"qwen2.5-3b-lora", "adapter_model.safetensors", "", 2, false},
      {"smollm2-135m-lora", "adapter_model.safetensors", "", 2, false},
      {"gpt2-lora-c_attn", "adapter_model.safetensors", "", 1, true},
      {"gpt2-lora-bin", "adapter_model.bin", "", 2, true},
      {"roberta-lora-step500", "adapter_model.safetensors", "", 2, false},
      {"roberta-lora-step2400", "adapter_model.safetensors", "", 2, false},
      {"gemma-2b-mlx-step100", "0000100_adapters.safetensors", "", 10, false},
      {"gemma-2b-mlx-step600", "0000600_adapters.safetensors", "", 10, false},
  };
  return cases;
}

std::filesystem::path AdapterFolder(const char* name) { return SharedData("real/adapters") / name; }

float GeneratedValue(uint64_t element) { return static_cast<float>(element % 4099) / 4099 - 0.5f; }

// A module's two matrices as the adapter file holds them, [rank, inputs] and [outputs, rank].
struct Factors {
  std::vector<float> a;
  std::vector<float> b;
  uint64_t rank = 0, inputs = 0, outputs = 0;
};

std::map<std::string, Factors> ReadFactors(const WeightSource& adapter) {
  std::map<std::string, Factors> modules;
  for (size_t t = 0; t < adapter.tensors().size(); ++t) {
    const TensorInfo& info = adapter.tensors()[t];
    const size_t at = info.name.find(".lora_");
    if (at == std::string::npos) continue;
    std::string module = info.name.substr(0, at);
    if (module.starts_with("base_model.model.")) module.erase(0, 17);
    const char kind = info.name[at + 6];
    const std::vector<float> values = ReadTensor(adapter, t);
    Factors& factors = modules[module];
    if (kind == 'A' || kind == 'b') factors.rank = info.shape[0];
    if (kind == 'A') factors.inputs = info.shape[1];
    if (kind == 'a') factors.inputs = info.shape[0];
    if (kind == 'B') factors.outputs = info.shape[0];
    if (kind == 'b') factors.outputs = info.shape[1];
    std::vector<float>& kept = kind == 'A' || kind == 'a' ? factors.a : factors.b;
    kept = values;
    if (kind == 'A' || kind == 'B') continue;
    for (uint64_t row = 0; row < info.shape[0]; ++row) {
      for (uint64_t column = 0; column < info.shape[1]; ++column) {
        kept[column * info.shape[0] + row] = values[row * info.shape[1] + column];
      }
    }
  }
  return modules;
}

// A base with the right shapes for the modules; `wider` makes its matrices one column too wide.
std::shared_ptr<const WeightSource> BaseFor(const std::map<std::string, Factors>& modules,
                                            const PublishedCase& published, uint64_t wider = 0) {
  std::vector<MemoryTensor> base = {{"unrelated.weight", {3}, GeneratedValue}};
  for (const auto& [module, factors] : modules) {
    std::vector<uint64_t> shape = {factors.outputs, factors.inputs};
    if (published.inputs_first) std::swap(shape[0], shape[1]);
    shape[1] += wider;
    base.push_back({published.base_prefix + module + ".weight", shape, GeneratedValue});
  }
  return std::make_shared<MemoryWeights>(std::move(base));
}

TEST(AdapterSharedTest, PublishedAdaptersMergeByTheDefinition) {
  SKIP_WITHOUT(SharedData("real/adapters"));
  for (const PublishedCase& published : PublishedCases()) {
    SCOPED_TRACE(published.folder);
    auto adapter = OpenStoredWeights(AdapterFolder(published.folder) / published.file);
    ASSERT_TRUE(adapter) << DescribeError(adapter.error());
    const auto modules = ReadFactors(**adapter);
    ASSERT_FALSE(modules.empty());
    auto merged = MergeAdapter(BaseFor(modules, published), AdapterFolder(published.folder));
    ASSERT_TRUE(merged) << DescribeError(merged.error());

    size_t checked = 0;
    for (size_t t = 0; t < (*merged)->tensors().size(); ++t) {
      const TensorInfo& info = (*merged)->tensors()[t];
      const auto found = modules.find(info.name.substr(0, info.name.size() - 7));
      if (found == modules.end()) continue;
      const Factors& factors = found->second;
      // One stretch in the middle, over the end of a row.
      const uint64_t first = info.shape[1] * (info.shape[0] / 2) - 50;
      std::vector<float> block(100);
      ASSERT_TRUE((*merged)->ReadFloat32(t, first, block));
      for (size_t i = 0; i < block.size(); ++i) {
        uint64_t output = (first + i) / info.shape[1];
        uint64_t input = (first + i) % info.shape[1];
        if (published.inputs_first) std::swap(output, input);
        double product = 0;
        for (uint64_t k = 0; k < factors.rank; ++k) {
          product += static_cast<double>(factors.b[output * factors.rank + k]) *
                     factors.a[k * factors.inputs + input];
        }
        ASSERT_NEAR(block[i], GeneratedValue(first + i) + published.scaling * product, 2e-7)
            << info.name << " element " << first + i;
      }
      ++checked;
    }
    EXPECT_EQ(checked, modules.size());
  }
}

TEST(AdapterSharedTest, PublishedHeadsAreAdded) {
  SKIP_WITHOUT(SharedData("real/adapters"));
  const PublishedCase& gpt2 = PublishedCases()[2];
  auto adapter = OpenStoredWeights(AdapterFolder(gpt2.folder) / gpt2.file);
  ASSERT_TRUE(adapter) << DescribeError(adapter.error());
  auto merged = MergeAdapter(BaseFor(ReadFactors(**adapter), gpt2), AdapterFolder(gpt2.folder));
  ASSERT_TRUE(merged) << DescribeError(merged.error());
  EXPECT_THAT((*merged)->tensors(),
              ::testing::Contains(::testing::Field(&TensorInfo::name, "score.weight")));
}

TEST(AdapterSharedTest, PublishedAdaptersRefuseBasesOfAnotherShape) {
  SKIP_WITHOUT(SharedData("real/adapters"));
  for (const PublishedCase& published : PublishedCases()) {
    auto adapter = OpenStoredWeights(AdapterFolder(published.folder) / published.file);
    ASSERT_TRUE(adapter) << DescribeError(adapter.error());
    auto merged = MergeAdapter(BaseFor(ReadFactors(**adapter), published, /*wider=*/1),
                               AdapterFolder(published.folder));
    ASSERT_FALSE(merged) << published.folder;
    EXPECT_EQ(merged.error().kind, ErrorKind::kMismatch) << published.folder;
    EXPECT_THAT(merged.error().problem, HasSubstr("another shape"));
  }
}

TEST(AdapterSharedTest, PublishedAdaptersOfOtherKindsAreNamed) {
  SKIP_WITHOUT(SharedData("real/adapters"));
  const auto base = std::make_shared<MemoryWeights>(
      std::vector<MemoryTensor>{{"q.weight", {2, 2}, GeneratedValue}});
  const std::map<const char*, const char*> problems = {
      {"roberta-unilora", "UNILORA"},
  };
  for (const auto& [folder, problem] : problems) {
    auto merged = MergeAdapter(base, AdapterFolder(folder));
    ASSERT_FALSE(merged) << folder;
    EXPECT_EQ(merged.error().kind, ErrorKind::kUnsupported) << folder;
    EXPECT_THAT(merged.error().problem, HasSubstr(problem)) << folder;
  }
}

}  // namespace
}  // namespace tensorguard::internal
