// The anchors of small vocabularies and of the tokenizers in use.
#include "tokenizers/anchors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "anchors/anchor_list.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tokenizers/files/tekken.h"
#include "tokenizers/files/tiktoken.h"
#include "tokenizers/files/tokenizer_json.h"
#include "tokenizers/files/vocabulary_files.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLimitBytes = 64ull << 20;

size_t WordsAmong(const std::vector<AnchorToken>& anchors) {
  size_t words = 0;
  for (const AnchorToken& anchor : anchors) words += anchor.anchor < kWordAnchors;
  return words;
}

TEST(AnchorList, HoldsWordsThenPiecesOnceEach) {
  const auto list = AnchorList();
  ASSERT_EQ(list.size(), kWordAnchors + kPieceAnchors);
  EXPECT_EQ(std::set(list.begin(), list.end()).size(), list.size());
  for (size_t i = 0; i < kWordAnchors; ++i) {
    const std::string_view word = list[i];
    EXPECT_GE(word.size(), 4u) << word;
    EXPECT_EQ(word.front(), ' ') << word;
    EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyz", 1), word.npos) << word;
  }
}

TEST(FindAnchors, TakesTheLowestIdOfATextToken) {
  TokenList tokens;
  ASSERT_TRUE(tokens.Add(2, " and", TokenClass::kSpecial));
  ASSERT_TRUE(tokens.Add(3, "no anchor at all"));
  ASSERT_TRUE(tokens.Add(4, "~", TokenClass::kByte));
  ASSERT_TRUE(tokens.Add(5, "~"));
  ASSERT_TRUE(tokens.Add(7, " the"));
  ASSERT_TRUE(tokens.Add(9, " the"));
  const auto anchors = FindAnchors({.tokens = std::move(tokens), .file = {}});
  ASSERT_EQ(anchors.size(), 2u);
  EXPECT_EQ(AnchorList()[anchors[0].anchor], " the");
  EXPECT_EQ(anchors[0].token_id, 7u);
  EXPECT_EQ(AnchorList()[anchors[1].anchor], "~");
  EXPECT_GE(anchors[1].anchor, kWordAnchors);
}

// What a package made of tekken.json: "! 0" and then the tokens in base64, apart by spaces.
Result<Vocabulary> ReadCompactTekken(const Json& compact) {
  std::istringstream words(compact.at("bpe_ranks").get<std::string>());
  std::string token;
  words >> token >> token;
  Json vocab = Json::array();
  while (words >> token) vocab.push_back({{"rank", vocab.size()}, {"token_bytes", token}});
  return ParseTekken(Json{{"config", compact.at("config")}, {"vocab", vocab}}.dump());
}

// A bare list of a SentencePiece vocabulary.
Result<Vocabulary> ReadTokenArray(const Json& list) {
  Json vocab = Json::object();
  for (size_t id = 0; id < list.at("tokens").size(); ++id) {
    const Json& token = list.at("tokens")[id];
    if (token.is_string() && !vocab.contains(token.get<std::string>())) {
      vocab[token.get<std::string>()] = id;
    }
  }
  return ParseTokenizerJson(
      Json{{"decoder", {{"type", "Metaspace"}}}, {"model", {{"type", "BPE"}, {"vocab", vocab}}}}
          .dump());
}

Result<Vocabulary> ReadShared(const fs::path& folder) {
  if (*FindTokenizerFile(folder)) return ReadVocabulary(folder);
  for (const auto& entry : fs::directory_iterator(folder)) {
    auto json = ReadJsonFile(entry.path(), kLimitBytes);
    if (!json) return std::move(json).error();
    return json->contains("bpe_ranks") ? ReadCompactTekken(*json) : ReadTokenArray(*json);
  }
  return Error{.kind = ErrorKind::kNotFound, .problem = "an empty folder"};
}

TEST(RealTokenizers, GiveTheKnownIds) {
  const fs::path folder = SharedData("real/tokenizers");
  SKIP_WITHOUT(folder);
  const auto common = ReadJsonFile(folder / "common_tokens.json");
  ASSERT_TRUE(common) << DescribeError(common.error());
  const Json& names = common->at("tokenizers");
  const std::set<std::string> list(AnchorList().begin(), AnchorList().end());
  size_t checked = 0;
  for (size_t column = 0; column < names.size(); ++column) {
    const std::string name = names[column].get<std::string>();
    if (!fs::exists(folder / name)) continue;
    SCOPED_TRACE(name);
    const auto vocabulary = ReadShared(folder / name);
    ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
    std::map<std::string, uint32_t> ids;
    for (const AnchorToken& anchor : FindAnchors(*vocabulary)) {
      ids[std::string(AnchorList()[anchor.anchor])] = anchor.token_id;
    }
    for (const Json& token : common->at("tokens")) {
      const std::string text = token.at("t").get<std::string>();
      if (!list.contains(text)) continue;
      const Json& id = token.at("ids")[column];
      if (id.is_null()) {
        EXPECT_FALSE(ids.contains(text)) << text;
      } else {
        ASSERT_TRUE(ids.contains(text)) << text;
        EXPECT_EQ(ids.at(text), id.get<uint32_t>()) << text;
      }
      ++checked;
    }
    EXPECT_EQ(WordsAmong(FindAnchors(*vocabulary)), kWordAnchors);
  }
  EXPECT_GE(checked, 12 * (kWordAnchors + kPieceAnchors));
}

// Vocabularies of 656 to 832 tokens: few words, but pieces enough.
TEST(SmallTokenizers, HoldHundredsOfAnchors) {
  const fs::path zoo = SharedData("zoo");
  SKIP_WITHOUT(zoo);
  size_t models = 0;
  for (const auto& model : fs::directory_iterator(zoo)) {
    if (!model.is_directory() || !*FindTokenizerFile(model.path())) continue;
    const auto vocabulary = ReadVocabulary(model.path());
    ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
    EXPECT_EQ(vocabulary->kind, TokenizerKind::kByteLevelBpe);
    EXPECT_GE(FindAnchors(*vocabulary).size(), 256u)
        << model.path() << " " << vocabulary->tokens.size();
    ++models;
  }
  EXPECT_GT(models, 0u);
}

}  // namespace
}  // namespace tensorguard::internal
