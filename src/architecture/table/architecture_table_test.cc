#include "architecture/table/architecture_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tensorguard::internal {
namespace {

using ::testing::Each;
using ::testing::Not;

std::vector<std::string> WordsOf(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

TEST(ArchitectureTable, NamesEveryArchitectureOnce) {
  std::set<std::string_view> names;
  for (const ArchitectureRow& row : ArchitectureRows()) {
    EXPECT_FALSE(row.name.empty());
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
  }
}

// Two rows may share a model type only where one of them asks for words, too.
TEST(ArchitectureTable, HasNoTypeThatIsAnotherRowsToo) {
  std::map<std::string, std::string_view> row_of;
  for (const ArchitectureRow& row : ArchitectureRows()) row_of[std::string(row.name)] = row.name;
  for (const ArchitectureRow& row : ArchitectureRows()) {
    for (const std::string& type : WordsOf(row.also)) {
      const bool is_new = row_of.emplace(type, row.name).second;
      EXPECT_TRUE(is_new || row.words_needed)
          << type << " of " << row.name << " and of " << row_of[type];
    }
    EXPECT_FALSE(row.words_needed && row.words.empty()) << row.name;
  }
}

// "Like" leads to a row that says itself what it computes: no row says it twice or in a circle.
TEST(ArchitectureTable, SaysWhatARowComputesInOnePlace) {
  for (const ArchitectureRow& row : ArchitectureRows()) {
    if (row.like.empty()) continue;
    EXPECT_FALSE(row.computes) << row.name;
    const ArchitectureRow* like = FindRow(row.like);
    ASSERT_NE(like, nullptr) << row.name << " like " << row.like;
    EXPECT_EQ(like->name, row.like) << row.name;
    EXPECT_TRUE(like->computes) << row.name << " like " << row.like;
  }
}

// The first row whose words fit counts: one behind it with the same words or more is never told.
TEST(ArchitectureTable, LeavesNoWordsToBeHiddenByARowBefore) {
  const auto rows = ArchitectureRows();
  for (size_t later = 0; later < rows.size(); ++later) {
    const std::vector<std::string> own = WordsOf(rows[later].words);
    for (size_t earlier = 0; earlier < later; ++earlier) {
      const std::vector<std::string> before = WordsOf(rows[earlier].words);
      if (own.empty() || before.empty()) continue;
      std::vector<std::string> missing;
      for (const std::string& word : before) {
        if (!std::ranges::count(own, word)) missing.push_back(word);
      }
      EXPECT_FALSE(missing.empty()) << rows[earlier].name << " hides " << rows[later].name;
    }
  }
}

TEST(ArchitectureTable, SpellsTypesAndWordsAsTheyAreCompared) {
  for (const ArchitectureRow& row : ArchitectureRows()) {
    for (const std::string_view text : {row.name, row.also, row.words}) {
      EXPECT_THAT(std::string(text), Each(Not(testing::AllOf(testing::Ge('A'), testing::Le('Z')))));
    }
  }
}

TEST(ArchitectureTable, MakesSense) {
  for (const ArchitectureRow& row : ArchitectureRows()) {
    if (!row.computes) continue;
    const ArchitectureTraits& traits = *row.computes;
    EXPECT_GT(traits.epsilon, 0) << row.name;
    EXPECT_LE(traits.epsilon, 1e-5) << row.name;
    EXPECT_GT(traits.rotary_fraction, 0) << row.name;
    EXPECT_LE(traits.rotary_fraction, 1) << row.name;
    EXPECT_GT(traits.rotary_base, 1) << row.name;
    EXPECT_TRUE(!traits.positions_skip_padding || traits.position_offset > 0) << row.name;
    EXPECT_TRUE(!traits.full_attention_first || traits.full_attention_period > 0) << row.name;
    EXPECT_TRUE(!traits.activation_fixed || traits.activation) << row.name;
    const bool rotated = traits.positions == PositionScheme::kRotary;
    const bool of_rotation = traits.rotary_interleaved || traits.rotary_in_windows_only ||
                             traits.unrotated_period > 0 || traits.rotary_fraction != 1;
    EXPECT_TRUE(rotated || !of_rotation) << row.name;
  }
}

TEST(ArchitectureTable, IsSearchedByNameAndType) {
  ASSERT_NE(FindRow("camembert"), nullptr);
  EXPECT_EQ(FindRow("camembert")->name, "roberta");
  EXPECT_EQ(FindRow("chatglm")->name, "chatglm");
  EXPECT_EQ(FindRow("unheard_of"), nullptr);
  EXPECT_EQ(FindRow(""), nullptr);
  ASSERT_NE(FindComputingRow("qwen3"), nullptr);
  EXPECT_EQ(FindComputingRow("qwen3")->name, "llama");
  EXPECT_TRUE(FindComputingRow("gemma2")->computes->gain_plus_one);
  EXPECT_EQ(FindComputingRow("gemma3n"), nullptr);
  EXPECT_EQ(FindComputingRow("unheard_of"), nullptr);
}

}  // namespace
}  // namespace tensorguard::internal
