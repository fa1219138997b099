#include "tokenizers/files/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "formats/gguf/gguf.h"
#include "tests/support/gguf_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/shared_data.h"
#include "tokenizers/anchors.h"

namespace tensorguard::internal {
namespace {

std::string TypesPair(const std::vector<int32_t>& types) {
  std::string array = GgufBytes<uint32_t>(5) + GgufBytes<uint64_t>(types.size());
  for (const int32_t type : types) array += GgufBytes(type);
  return GgufPair("tokenizer.ggml.token_type", 9, array);
}

// Through a file, as a model's vocabulary is read.
Result<Vocabulary> Read(const std::vector<std::string>& pairs) {
  const ScratchFolder folder;
  return ReadVocabulary(folder.Write("m.gguf", BuildGguf(pairs, {})));
}

TEST(GgufVocabulary, ByteLevel) {
  const auto vocabulary =
      Read({GgufTextPair("tokenizer.ggml.model", "gpt2"),
            GgufTextsPair("tokenizer.ggml.tokens", {"the", "\u0120the", "<end>", "\u0120"}),
            TypesPair({1, 1, 3, 4})});
  ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
  EXPECT_EQ(vocabulary->kind, TokenizerKind::kByteLevelBpe);
  ASSERT_EQ(vocabulary->tokens.size(), 4u);
  EXPECT_EQ(vocabulary->tokens[1].text, " the");
  EXPECT_EQ(vocabulary->tokens[2].token_class, TokenClass::kSpecial);
  EXPECT_EQ(vocabulary->tokens[3].text, "\u0120") << "an added token is spelled as it is";
}

TEST(GgufVocabulary, SentencePiece) {
  const auto vocabulary =
      Read({GgufTextPair("tokenizer.ggml.model", "llama"),
            GgufTextsPair("tokenizer.ggml.tokens", {"<unk>", "<0x41>", "\u2581the"}),
            TypesPair({2, 6, 1})});
  ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
  EXPECT_EQ(vocabulary->kind, TokenizerKind::kSentencePiece);
  EXPECT_EQ(vocabulary->tokens[0].token_class, TokenClass::kSpecial);
  EXPECT_EQ(vocabulary->tokens[1].token_class, TokenClass::kByte);
  EXPECT_EQ(vocabulary->tokens[2].text, " the");
}

TEST(GgufVocabulary, WordPieceIsRespelled) {
  const auto vocabulary = Read(
      {GgufTextPair("tokenizer.ggml.model", "bert"),
       GgufTextsPair("tokenizer.ggml.tokens", {"[CLS]", "\u2581[unused1]", "\u2581the", "ing"}),
       TypesPair({3, 1, 1, 1})});
  ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
  EXPECT_EQ(vocabulary->kind, TokenizerKind::kWordPiece);
  EXPECT_EQ(vocabulary->tokens[0].token_class, TokenClass::kSpecial);
  EXPECT_EQ(vocabulary->tokens[1].token_class, TokenClass::kSpecial);
  EXPECT_EQ(vocabulary->tokens[2].text, " the");
  EXPECT_EQ(vocabulary->tokens[3].text, "ing");
}

TEST(GgufVocabulary, WhatIsRefused) {
  const std::string tokens = GgufTextsPair("tokenizer.ggml.tokens", {"a", "b"});
  const std::string model = GgufTextPair("tokenizer.ggml.model", "gpt2");
  const std::map<std::string, std::vector<std::string>> cases = {
      {"no tokenizer in this file", {model}},
      {"tokenizer of a GGUF file is not read", {tokens}},
      {"tokens and their types are not of one number", {model, tokens, TypesPair({1})}},
  };
  for (const auto& [problem, pairs] : cases) {
    const auto vocabulary = Read(pairs);
    ASSERT_FALSE(vocabulary) << problem;
    EXPECT_EQ(vocabulary.error().problem, problem);
    EXPECT_TRUE(vocabulary.error().file.ends_with("m.gguf"));
  }
  const auto other = Read({GgufTextPair("tokenizer.ggml.model", "rwkv"), tokens});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kUnsupported);
}

TEST(GgufVocabulary, PublishedFiles) {
  const auto folder = SharedData("real/parser/gguf");
  SKIP_WITHOUT(folder);
  for (const auto& [name, tokens] :
       std::map<std::string, size_t>{{"ggml-vocab-gpt-2.gguf", 50257},
                                     {"ggml-vocab-llama-spm.gguf", 32000},
                                     {"ggml-vocab-bert-bge.gguf", 30522}}) {
    const auto vocabulary = ReadVocabulary(folder / name);
    ASSERT_TRUE(vocabulary) << DescribeError(vocabulary.error());
    EXPECT_EQ(vocabulary->tokens.size(), tokens);
    EXPECT_GT(FindAnchors(*vocabulary).size(), 500u) << name;
  }
}

}  // namespace
}  // namespace tensorguard::internal
