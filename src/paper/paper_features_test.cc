#include "paper/paper_features.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"

namespace tensorguard::internal {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kComplete = R"({
  "global_mean": 1.0586958499610629e-06,
  "global_std": 0.016533384961852183,
  "global_norm": 74.28466859181722,
  "global_skewness": -0.0025916028087787806,
  "global_kurtosis": 6.639781940971479,
  "ffn_mean": -1.8112486226592078e-07,
  "ffn_std": 0.010903175997858245,
  "ffn_norm": 83.0,
  "total_params": 18446744073709551615,
  "num_layers": 10,
  "model_name": "oak",
  "selected_layers": [
    "a.weight",
    "b.weight"
  ]
}
)";

std::string Replaced(std::string_view what, std::string_view by) {
  std::string text(kComplete);
  const size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return text.replace(at, what.size(), by);
}

TEST(PaperFeatures, WritesWhatItReadByteForByte) {
  const ScratchFolder folder;
  const auto features = ReadPaperFeatures(folder.Write("oak_features.json", kComplete));
  ASSERT_TRUE(features) << DescribeError(features.error());
  EXPECT_EQ(features->model_name, "oak");
  EXPECT_EQ(features->total_params, UINT64_MAX);
  EXPECT_EQ(features->values.at("num_layers"), 10.0);
  EXPECT_EQ(features->values.at("global_mean"), 1.0586958499610629e-06);
  EXPECT_FALSE(features->values.contains("attention_mean")) << "absent, not 0";
  EXPECT_FALSE(features->values.contains("total_params"));
  EXPECT_EQ(PaperFeaturesToJson(*features), kComplete);
}

TEST(PaperFeatures, ModelNameMayHoldAnyBytes) {
  const ScratchFolder folder;
  auto features = *ReadPaperFeatures(folder.Write("f.json", kComplete));
  features.model_name = "\xC3\xA9t\xC3\xA9 \xFF\"";
  const std::string text = PaperFeaturesToJson(features);
  EXPECT_THAT(text, HasSubstr(R"("model_name": "\u00e9t\u00e9 \ufffd\"")"));
  EXPECT_TRUE(ReadPaperFeatures(folder.Write("g.json", text)));
}

struct BadFile {
  std::string_view name;
  std::string text;
  std::string_view problem;
};

TEST(PaperFeatures, EachBadFileNamesTheKey) {
  const BadFile cases[] = {
      {"no_json", "{", "not valid JSON"},
      {"list", "[]", "the document is no object"},
      {"duplicate", Replaced("\"global_std\"", "\"global_mean\""),
       "key occurs twice in one JSON object (byte 57)\n  found:    global_mean"},
      {"missing_global", Replaced("\"global_std\"", "\"other\""),
       "\"global_std\" is not what it should be\n  found:    nothing"},
      {"half_a_kind", Replaced("\"ffn_std\"", "\"other\""),
       "\"ffn_std\" is not what it should be\n  found:    nothing"},
      {"not_a_number", Replaced("74.28466859181722", "NaN"),
       "\"global_norm\" is not what it should be\n  found:    null\n  expected: a finite number"},
      {"text", Replaced("74.28466859181722", "\"74\""), "\"global_norm\" is not what it should be"},
      {"boolean", Replaced("-1.8112486226592078e-07", "true"),
       "\"ffn_mean\" is not what it should be"},
      {"half_a_layer", Replaced("\"num_layers\": 10", "\"num_layers\": 10.5"),
       "\"num_layers\" is not what it should be\n  found:    10.5"},
      {"many_layers", Replaced("\"num_layers\": 10", "\"num_layers\": 9007199254740993"),
       "expected: a whole number from 0 to 9007199254740992"},
      {"no_layers", Replaced("\"num_layers\"", "\"x\""),
       "\"num_layers\" is not what it should be\n  found:    nothing"},
      {"negative_parameters", Replaced("18446744073709551615", "-1"),
       "\"total_params\" is not what it should be"},
      {"no_parameters", Replaced("\"total_params\"", "\"x\""),
       "\"total_params\" is not what it should be\n  found:    nothing"},
      {"no_name", Replaced("\"model_name\"", "\"x\""),
       "\"model_name\" is not what it should be\n  found:    nothing"},
      {"empty_name", Replaced("\"oak\"", "\"\""), "\"model_name\" is not what it should be"},
      {"number_for_name", Replaced("\"oak\"", "7"), "\"model_name\" is not what it should be"},
      {"tensors_no_list", Replaced("\"selected_layers\": [", "\"selected_layers\": 1, \"x\": ["),
       "\"selected_layers\" is not what it should be"},
      {"tensor_no_name", Replaced("\"a.weight\"", "1"),
       "\"selected_layers\" is not what it should be"},
      {"overflow", Replaced("74.28466859181722", "1e999"), "not valid JSON"},
  };
  const ScratchFolder folder;
  for (const BadFile& bad : cases) {
    const auto path = folder.Write(fmt::format("{}.json", bad.name), bad.text);
    const auto features = ReadPaperFeatures(path);
    ASSERT_FALSE(features) << bad.name;
    EXPECT_EQ(features.error().kind, ErrorKind::kBadFile) << bad.name;
    EXPECT_EQ(features.error().file, path.string()) << bad.name;
    EXPECT_THAT(DescribeError(features.error()), HasSubstr(bad.problem)) << bad.name;
  }
  const auto missing = ReadPaperFeatures(folder.path() / "none.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
}

void ReadsAllOf(const std::filesystem::path& folder, size_t expected_files) {
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto features = ReadPaperFeatures(entry.path());
    ASSERT_TRUE(features) << DescribeError(features.error());
    EXPECT_EQ(features->model_name + "_features.json", entry.path().filename());
    const Json original = *ReadJsonFile(entry.path());
    const std::string ours = PaperFeaturesToJson(*features);
    for (const auto& [key, value] : original.items()) {
      EXPECT_EQ((*ParseJson(ours))[key], value) << entry.path() << " " << key;
    }
    ++files;
  }
  EXPECT_EQ(files, expected_files);
}

TEST(PaperFeatures, ReadsThePublishedFiles) {
  const auto folder = SharedData("reference/published");
  SKIP_WITHOUT(folder);
  ReadsAllOf(folder, 58);
}

TEST(PaperFeatures, ReadsTheReferenceFilesOfTheZoo) {
  const auto folder = SharedData("reference/golden");
  SKIP_WITHOUT(folder);
  ReadsAllOf(folder, 48);
  const auto experts = ReadPaperFeatures(folder / "alder--upcycle-moe_features.json");
  ASSERT_TRUE(experts);
  EXPECT_FALSE(experts->values.contains("ffn_mean"));
}

TEST(PaperFeatures, WritesAPublishedFileAsItWas) {
  const auto path = SharedData("reference/published/Llama-3.1-8B_features.json");
  SKIP_WITHOUT(path);
  const auto features = ReadPaperFeatures(path);
  ASSERT_TRUE(features);
  std::string ours = PaperFeaturesToJson(*features);
  const std::string ours_only = ",\n  \"selected_layers\": []";
  const size_t at = ours.find(ours_only);
  ASSERT_NE(at, ours.npos);
  ours.erase(at, ours_only.size());
  std::ifstream file(path);
  const std::string theirs((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(ours, theirs + "\n");
}

}  // namespace
}  // namespace tensorguard::internal
