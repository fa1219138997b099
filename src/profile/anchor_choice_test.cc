// Which anchors are chosen from what a tokenizer holds.
#include "profile/anchor_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "anchors/anchor_list.h"
#include "base/text.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Tokens for anchors [first, last), with ids from 1000 on.
std::vector<AnchorToken> Held(uint32_t first, uint32_t last) {
  std::vector<AnchorToken> held;
  for (uint32_t anchor = first; anchor < last; ++anchor) held.push_back({anchor, 1000 + anchor});
  return held;
}

size_t WordsOf(const ChosenAnchors& chosen) {
  return static_cast<size_t>(std::count_if(chosen.anchors.begin(), chosen.anchors.end(),
                                           [](uint32_t anchor) { return anchor < kWordAnchors; }));
}

TEST(ChooseTokenAnchors, TakesWordsAndPiecesFromTheStartOfEach) {
  const auto chosen = ChooseTokenAnchors(Held(0, 1024), 10'000);
  EXPECT_EQ(chosen.kind, AnchorKind::kTokens);
  ASSERT_EQ(chosen.anchors.size(), kMostAnchors);
  EXPECT_EQ(WordsOf(chosen), 96u);
  EXPECT_EQ(chosen.anchors[95], 95u);
  EXPECT_EQ(chosen.anchors[96], kWordAnchors);
  EXPECT_EQ(chosen.tokens[96], 1000 + kWordAnchors);
  EXPECT_TRUE(std::is_sorted(chosen.anchors.begin(), chosen.anchors.end()));
}

TEST(ChooseTokenAnchors, FillsUpWhatWordsOrPiecesLack) {
  auto held = Held(0, 30);
  const auto pieces = Held(kWordAnchors, kWordAnchors + 400);
  held.insert(held.end(), pieces.begin(), pieces.end());
  const auto few_words = ChooseTokenAnchors(held, 10'000);
  EXPECT_EQ(few_words.anchors.size(), kMostAnchors);
  EXPECT_EQ(WordsOf(few_words), 30u);
  const auto only_words = ChooseTokenAnchors(Held(0, 512), 10'000);
  EXPECT_EQ(only_words.anchors.size(), kMostAnchors);
  EXPECT_EQ(WordsOf(only_words), kMostAnchors);
  EXPECT_EQ(ChooseTokenAnchors(Held(3, 20), 10'000).anchors.size(), 17u);
}

TEST(ChooseTokenAnchors, LargeAndSmallVocabulariesShareAnchors) {
  auto held = Held(0, 30);
  const auto pieces = Held(kWordAnchors, kWordAnchors + 400);
  held.insert(held.end(), pieces.begin(), pieces.end());
  const auto small = ChooseTokenAnchors(held, 10'000);
  const auto large = ChooseTokenAnchors(Held(0, 1024), 10'000);
  std::vector<uint32_t> common;
  std::set_intersection(small.anchors.begin(), small.anchors.end(), large.anchors.begin(),
                        large.anchors.end(), std::back_inserter(common));
  EXPECT_EQ(common.size(), 30u + 32u);
}

TEST(ChooseTokenAnchors, LeavesOutTokensBeyondTheEmbedding) {
  const auto chosen = ChooseTokenAnchors(Held(0, 100), 1050);
  EXPECT_EQ(chosen.anchors.size(), 50u);
  EXPECT_EQ(chosen.tokens.back(), 1049u);
}

TEST(ChooseRowAnchors, SpreadsRowsOverTheVocabulary) {
  EXPECT_THAT(ChooseRowAnchors(3).anchors, ElementsAre(0, 1, 2));
  const auto chosen = ChooseRowAnchors(32'000);
  EXPECT_EQ(chosen.kind, AnchorKind::kRows);
  ASSERT_EQ(chosen.anchors.size(), kMostAnchors);
  EXPECT_EQ(chosen.anchors.front(), 125u);
  EXPECT_EQ(chosen.anchors.back(), 31'875u);
  EXPECT_EQ(chosen.tokens, chosen.anchors);
  const auto just = ChooseRowAnchors(129).anchors;
  EXPECT_EQ(std::adjacent_find(just.begin(), just.end(), std::greater_equal<>()), just.end());
}

TEST(ChooseAnchors, SaysWhyItTakesRows) {
  const ScratchFolder folder;
  Model model;
  model.tokenizer_folder = folder.path();
  const auto absent = *ChooseAnchors(model, 100);
  EXPECT_EQ(absent.kind, AnchorKind::kRows);
  EXPECT_THAT(absent.notes, ElementsAre(HasSubstr("no tokenizer: ")));

  folder.Write("tokenizer.json", "{");
  EXPECT_THAT(ChooseAnchors(model, 100)->notes, ElementsAre(HasSubstr("cannot be read")));

  folder.Write(
      "tokenizer.json",
      R"({"decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}}})");
  EXPECT_THAT(ChooseAnchors(model, 100)->notes, ElementsAre(HasSubstr("only 2 of the anchors")));
}

// Of a file that is there and cannot be read, nothing says that it will not be read tomorrow.
TEST(ChooseAnchors, FailsWhereTheTokenizerCannotBeRead) {
  class Unreadable : public FileStore {
   public:
    Result<bool> Exists(const std::filesystem::path&) const override { return true; }
    Result<bool> IsFolder(const std::filesystem::path& path) const override {
      return path.extension() != ".json";
    }
    Result<std::vector<std::string>> FilesIn(const std::filesystem::path&,
                                             std::span<const std::string>) const override {
      return std::vector<std::string>{"tokenizer.json"};
    }
    Result<std::vector<std::string>> FoldersIn(const std::filesystem::path&) const override {
      return std::vector<std::string>();
    }
    Result<std::shared_ptr<const File>> Open(const std::filesystem::path&) const override {
      return Error{.kind = ErrorKind::kSystem, .problem = "cannot read: Input/output error"};
    }
  };
  Model model;
  model.tokenizer_folder = "folder";
  model.files = std::make_shared<Unreadable>();
  const auto chosen = ChooseAnchors(model, 100);
  ASSERT_FALSE(chosen);
  EXPECT_EQ(chosen.error().problem, "cannot read: Input/output error");
}

}  // namespace
}  // namespace tensorguard::internal
