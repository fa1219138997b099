#include "formats/shard_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tensorguard/error.h"

namespace tensorguard::internal {
namespace {

struct Row {
  const char* name;
  const char* set;
  uint32_t number;
  uint32_t total;
};

TEST(ShardNames, UnderstandsTheFormsInUse) {
  for (const Row& row : std::initializer_list<Row>{
           {"model-00001-of-00003.safetensors", "model-", 1, 3},
           {"model-01-of-06.safetensors", "model-", 1, 6},
           {"model_00001-of-00072.safetensors", "model_", 1, 72},
           {"model-00001-of-000001.safetensors", "model-", 1, 1},
           {"model-00000-of-00002.safetensors", "model-", 0, 2},
           {"model-renamed-00002-of-00004.safetensors", "model-renamed-", 2, 4},
           {"diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
            "diffusion_pytorch_model.fp16-", 1, 2},
           {"00001-of-00002.safetensors", "", 1, 2},
           {"model-Q4_K_M-00002-of-00003.gguf", "model-Q4_K_M-", 2, 3},
           {"model-999999999-of-999999999.safetensors", "model-", 999999999, 999999999}}) {
    const auto parsed = ParseShardName(row.name);
    ASSERT_TRUE(parsed) << row.name;
    EXPECT_EQ(parsed->set, row.set) << row.name;
    EXPECT_EQ(parsed->number, row.number) << row.name;
    EXPECT_EQ(parsed->total, row.total) << row.name;
  }
}

TEST(ShardNames, OtherNamesAreNoShards) {
  for (const char* name :
       {"model.safetensors", "model-00001-of-00003.txt", "model-of-00003.safetensors",
        "model-00001-of-.safetensors", "model00001-of-00003.safetensors",
        "model-00001of00003.safetensors", "model-00001-of-00003.safetensors.index.json",
        "model-vision.safetensors", "", ".safetensors", "-of-.safetensors",
        "model-1-of-9999999999.safetensors", "model-9999999999-of-2.safetensors",
        "model-1-OF-2.safetensors", "model-1-of-2.SAFETENSORS"}) {
    EXPECT_FALSE(ParseShardName(name)) << name;
  }
}

std::vector<std::string> Shards(const std::vector<uint32_t>& numbers, uint32_t total,
                                const std::string& set = "model-") {
  std::vector<std::string> names;
  for (const uint32_t number : numbers) {
    names.push_back(set + std::to_string(number) + "-of-" + std::to_string(total) + ".safetensors");
  }
  return names;
}

TEST(ShardNames, WholeSetsCountFromOneOrFromZero) {
  EXPECT_TRUE(CheckShardSet(Shards({1, 2, 3}, 3)));
  EXPECT_TRUE(CheckShardSet(Shards({0, 1, 2}, 3)));
  EXPECT_TRUE(CheckShardSet(Shards({0, 1, 2, 3}, 3)));
  EXPECT_TRUE(CheckShardSet(Shards({1}, 1)));
  EXPECT_TRUE(CheckShardSet(Shards({0}, 1)));
  EXPECT_TRUE(CheckShardSet(Shards({3, 1, 2}, 3)));
}

std::string Problem(const std::vector<std::string>& names) {
  const auto checked = CheckShardSet(names);
  return checked ? "no error" : DescribeError(checked.error());
}

TEST(ShardNames, MissingShardsAreListed) {
  EXPECT_EQ(Problem(Shards({1, 3}, 3)),
            "shards are missing\n"
            "  found:    2 of 3 shards, without number 2\n"
            "  try:      fetch the model again; the download was probably cut short");
  EXPECT_THAT(Problem(Shards({2, 3}, 3)), testing::HasSubstr("2 of 3 shards, without number 1"));
  EXPECT_THAT(Problem(Shards({1, 2}, 3)), testing::HasSubstr("2 of 3 shards, without number 3"));
  EXPECT_THAT(Problem(Shards({0, 3}, 3)), testing::HasSubstr("2 of 4 shards, without number 1, 2"));
  EXPECT_THAT(Problem(Shards({0, 2}, 4)), testing::HasSubstr("2 of 4 shards, without number 1, 3"));
  EXPECT_EQ(CheckShardSet(Shards({1, 3}, 3)).error().kind, ErrorKind::kNotFound);
}

TEST(ShardNames, AHugeTotalCostsNothing) {
  EXPECT_THAT(Problem(Shards({1}, 999999999)),
              testing::HasSubstr("1 of 999999999 shards, without number 2, 3, 4, 5, 6, ..."));
}

TEST(ShardNames, ContradictionsNameBothFiles) {
  std::vector<std::string> two_totals = Shards({1, 2}, 2);
  two_totals.push_back(Shards({3}, 3)[0]);
  EXPECT_EQ(Problem(two_totals),
            "shards disagree on how many there are\n"
            "  found:    model-1-of-2.safetensors and model-3-of-3.safetensors\n"
            "  try:      remove the files that belong to another model or version");

  std::vector<std::string> two_sets = Shards({1}, 2);
  two_sets.push_back(Shards({2}, 2, "other-")[0]);
  EXPECT_THAT(Problem(two_sets),
              testing::StartsWith("shards of two sets lie in one folder\n"
                                  "  found:    model-1-of-2.safetensors and other-2-of-2"));

  EXPECT_THAT(Problem({"model-1-of-2.safetensors", "model-01-of-2.safetensors"}),
              testing::StartsWith("two shards have one number\n"
                                  "  found:    model-1-of-2.safetensors and model-01-of-2"));

  EXPECT_EQ(Problem(Shards({1, 2, 4}, 3)),
            "a shard's number is higher than their total\n"
            "  found:    model-4-of-3.safetensors\n"
            "  expected: at most 3");
  EXPECT_THAT(Problem(Shards({1}, 0)), testing::StartsWith("a shard's number is higher"));
}

}  // namespace
}  // namespace tensorguard::internal
