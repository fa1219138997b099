#include "independence/stream/shared_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

Vocabulary VocabularyOf(const std::vector<Token>& tokens) {
  Vocabulary vocabulary;
  for (const Token& token : tokens) {
    EXPECT_TRUE(vocabulary.tokens.Add(token.id, token.text, token.token_class));
  }
  EXPECT_TRUE(vocabulary.tokens.SortById());
  return vocabulary;
}

TEST(TokensWithEqualText, PairsTextsAndLeavesNamesOut) {
  const Vocabulary a = VocabularyOf({{.id = 0, .token_class = TokenClass::kSpecial, .text = "<s>"},
                                     {.id = 1, .text = " the"},
                                     {.id = 2, .text = "cat"},
                                     {.id = 3, .text = "dog"}});
  const Vocabulary b = VocabularyOf({{.id = 0, .token_class = TokenClass::kSpecial, .text = "<s>"},
                                     {.id = 1, .text = "dog"},
                                     {.id = 4, .text = " the"},
                                     {.id = 9, .text = "cat"}});
  EXPECT_THAT(TokensWithEqualText(a, 4, b, 10),
              ElementsAre(FieldsAre(1, 4), FieldsAre(2, 9), FieldsAre(3, 1)));
  // Beyond the rows of an embedding there is nothing to compare.
  EXPECT_THAT(TokensWithEqualText(a, 3, b, 9), ElementsAre(FieldsAre(1, 4)));
}

TEST(TokensWithEqualText, CountsATextOnce) {
  const Vocabulary a = VocabularyOf({{.id = 3, .text = "x"}, {.id = 5, .text = "x"}});
  const Vocabulary b = VocabularyOf({{.id = 2, .text = "x"}, {.id = 7, .text = "x"}});
  EXPECT_THAT(TokensWithEqualText(a, 10, b, 10), ElementsAre(FieldsAre(3, 2)));
}

TEST(TokensWithEqualId, NeedsVocabulariesOfOneSize) {
  EXPECT_THAT(TokensWithEqualId(2, 2), ElementsAre(FieldsAre(0, 0), FieldsAre(1, 1)));
  EXPECT_THAT(TokensWithEqualId(2, 3), IsEmpty());
  EXPECT_LE(TokensWithEqualId(1'000'000, 1'000'000).size(), kMostTokens);
}

}  // namespace
}  // namespace tensorguard::internal
