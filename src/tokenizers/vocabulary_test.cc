// Vocabularies from every kind of file, and each way in which such a file can be wrong.
#include "tokenizers/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Texts = std::map<uint32_t, std::string>;

Texts TextsOf(const Vocabulary& vocabulary) {
  Texts texts;
  for (size_t i = 0; i < vocabulary.tokens.size(); ++i) {
    const Token token = vocabulary.tokens[i];
    const bool is_special = token.token_class == TokenClass::kSpecial;
    texts[token.id] = is_special ? "special " + std::string(token.text) : std::string(token.text);
  }
  return texts;
}

class VocabularyFiles : public testing::Test {
 protected:
  // The vocabulary of a folder that holds `contents` in `file`; empty with a failure if refused.
  Vocabulary Read(const std::string& file, const std::string& contents) {
    folder_.Write(file, contents);
    auto vocabulary = ReadVocabulary(folder_.path());
    EXPECT_TRUE(vocabulary) << DescribeError(vocabulary.error());
    return vocabulary ? *std::move(vocabulary) : Vocabulary();
  }

  // The error of such a folder.
  Error Refused(const std::string& file, const std::string& contents) {
    folder_.Write(file, contents);
    auto vocabulary = ReadVocabulary(folder_.path());
    EXPECT_FALSE(vocabulary) << "accepted: " << contents;
    Error error = vocabulary ? Error() : vocabulary.error();
    EXPECT_EQ(error.file, (folder_.path() / file).string());
    return error;
  }

  std::string Problem(const std::string& json) { return Refused("tokenizer.json", json).problem; }

  ScratchFolder folder_;
};

TEST_F(VocabularyFiles, ByteLevelIsUndone) {
  const Vocabulary vocabulary = Read("tokenizer.json", R"({
      "added_tokens": [{"id": 5, "content": "<|end|>", "special": true},
                       {"id": 6, "content": "  Ġ", "special": false}],
      "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}]},
      "model": {"type": "BPE", "vocab": {"Ġthe": 3, "the": 0, "Ċ": 1, "Ã©": 2, "日": 4},
                "merges": ["t h"]}})");
  EXPECT_EQ(vocabulary.kind, TokenizerKind::kByteLevelBpe);
  EXPECT_EQ(vocabulary.file, (folder_.path() / "tokenizer.json").string());
  EXPECT_THAT(TextsOf(vocabulary),
              ElementsAre(Pair(0, "the"), Pair(1, "\n"), Pair(2, "é"), Pair(3, " the"),
                          Pair(4, "日"), Pair(5, "special <|end|>"), Pair(6, "  Ġ")));
}

TEST_F(VocabularyFiles, EveryByteHasASpelling) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string spelled;
    for (const int code_point : {byte, 0x100, 0x143}) {
      spelled += code_point < 0x80 ? std::string(1, static_cast<char>(code_point))
                                   : std::string{static_cast<char>(0xc0 | code_point >> 6),
                                                 static_cast<char>(0x80 | (code_point & 0x3f))};
    }
    const bool is_spelling = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte != 0xad);
    const std::string text = {static_cast<char>(byte), '\0', static_cast<char>(0xad)};
    EXPECT_EQ(DecodeByteLevel(spelled), is_spelling ? text : spelled) << byte;
  }
  EXPECT_EQ(DecodeByteLevel("\u0120\u010a\u0121"), " \n\x7f");
  EXPECT_EQ(DecodeByteLevel("\u0144"), "\u0144");  // one beyond the table
}

TEST_F(VocabularyFiles, SentencePieceOfTheTokenizersLibrary) {
  const Vocabulary vocabulary = Read("tokenizer.json", R"({
      "added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                       {"id": 5, "content": "▁▁", "special": false}],
      "decoder": {"type": "Sequence", "decoders": [{"type": "Replace",
                  "pattern": {"String": "▁"}, "content": " "}]},
      "model": {"type": "BPE", "byte_fallback": true,
                "vocab": {"<unk>": 0, "<0x0A>": 1, "▁the": 2, "a▁b": 3, "<0xZZ>": 4}}})");
  EXPECT_EQ(vocabulary.kind, TokenizerKind::kSentencePiece);
  EXPECT_THAT(TextsOf(vocabulary),
              ElementsAre(Pair(0, "special <unk>"), Pair(1, "\n"), Pair(2, " the"), Pair(3, "a b"),
                          Pair(4, "<0xZZ>"), Pair(5, "  ")));
}

TEST_F(VocabularyFiles, UnigramListsPiecesWithScores) {
  const Vocabulary vocabulary = Read("tokenizer.json", R"({
      "pre_tokenizer": {"type": "Metaspace"},
      "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["▁the", -2.5], ["s", -3]]}})");
  EXPECT_EQ(vocabulary.kind, TokenizerKind::kSentencePiece);
  EXPECT_THAT(TextsOf(vocabulary), ElementsAre(Pair(0, "<unk>"), Pair(1, " the"), Pair(2, "s")));
}

TEST_F(VocabularyFiles, WordPieceMarksWhatGoesOn) {
  const Vocabulary json = Read("tokenizer.json", R"({
      "model": {"vocab": {"[CLS]": 0, "the": 1, "##ing": 2, "[": 3, "##": 4}, "type": "WordPiece"}})");
  EXPECT_EQ(json.kind, TokenizerKind::kWordPiece);
  const auto expected = ElementsAre(Pair(0, "special [CLS]"), Pair(1, " the"), Pair(2, "ing"),
                                    Pair(3, " ["), Pair(4, " ##"));
  EXPECT_THAT(TextsOf(json), expected);
  const ScratchFolder other;
  other.Write("vocab.txt", "[CLS]\nthe\r\n##ing\n[\n##\n");
  EXPECT_THAT(TextsOf(*ReadVocabulary(other.path())), expected);
}

TEST_F(VocabularyFiles, UndeclaredSpellingIsWhatMostTokensShow) {
  const std::string byte_level = R"({"Ġa": 0, "Ġb": 1, "▁": 2, "<|end|>": 3})";
  EXPECT_THAT(TextsOf(Read("vocab.json", byte_level)),
              ElementsAre(Pair(0, " a"), Pair(1, " b"), Pair(2, "▁"), Pair(3, "special <|end|>")));
  EXPECT_EQ(Read("vocab.json", R"({"▁a": 0, "▁Ġ": 1, "</s>": 7})").kind,
            TokenizerKind::kSentencePiece);
  EXPECT_EQ(Read("tokenizer.json", R"({"model": {"vocab": {"Ġa": 0}, "merges": ["Ġ a"]}})").kind,
            TokenizerKind::kByteLevelBpe);
}

TEST_F(VocabularyFiles, TiktokenRanks) {
  const std::string ranks = "IQ== 0\nIHRoZQ== 2\n/w== 1\n";  // "!", " the", byte 255
  const auto expected = ElementsAre(Pair(0, "!"), Pair(1, "\xff"), Pair(2, " the"));
  EXPECT_THAT(TextsOf(Read("tokenizer.model", ranks)), expected);
  const ScratchFolder other;
  other.Write("qwen.tiktoken", ranks);
  EXPECT_THAT(TextsOf(*ReadVocabulary(other.path())), expected);
  other.Write("other.tiktoken", ranks);
  EXPECT_EQ(ReadVocabulary(other.path()).error().kind, ErrorKind::kNotFound);
}

TEST_F(VocabularyFiles, TekkenCountsBehindItsSpecialTokens) {
  const Vocabulary vocabulary = Read("tekken.json", R"({
      "config": {"default_vocab_size": 5, "default_num_special_tokens": 3},
      "special_tokens": [{"rank": 1, "token_str": "<s>", "is_control": true}],
      "vocab": [{"rank": 0, "token_bytes": "IQ==", "token_str": "!"},
                {"rank": 1, "token_bytes": "IHRoZQ==", "token_str": null},
                {"rank": 2, "token_bytes": "YQ==", "token_str": "a"}]})");
  EXPECT_THAT(TextsOf(vocabulary),
              ElementsAre(Pair(1, "special <s>"), Pair(3, "!"), Pair(4, " the")));
}

TEST_F(VocabularyFiles, TheFirstSourceDecides) {
  folder_.Write("vocab.txt", "a\n");
  folder_.Write("vocab.json", R"({"Ġb": 0})");
  EXPECT_EQ(*FindTokenizerFile(folder_.path()), folder_.path() / "vocab.json");
  folder_.Write("tokenizer.json", R"({"model": {"type": "WordPiece", "vocab": {"c": 0}}})");
  EXPECT_EQ(*FindTokenizerFile(folder_.path()), folder_.path() / "tokenizer.json");
  EXPECT_THAT(TextsOf(*ReadVocabulary(folder_.path())), ElementsAre(Pair(0, " c")));
}

TEST_F(VocabularyFiles, AFolderWithoutTokenizerIsNotFound) {
  EXPECT_EQ(*FindTokenizerFile(folder_.path()), std::nullopt);
  EXPECT_EQ(ReadVocabulary(folder_.path()).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(ReadVocabulary(folder_.path() / "missing").error().kind, ErrorKind::kNotFound);
}

TEST_F(VocabularyFiles, AnAddedTokenReplacesTheModelsOfItsId) {
  const Vocabulary vocabulary = Read("tokenizer.json", R"({
      "model": {"type": "BPE", "vocab": {"Ġa": 0, "Ġb": 1}},
      "added_tokens": [{"id": 1, "content": "<tool>", "special": true}]})");
  EXPECT_THAT(TextsOf(vocabulary), ElementsAre(Pair(0, " a"), Pair(1, "special <tool>")));
}

TEST_F(VocabularyFiles, BadTokenizerJsonNamesItsProblem) {
  EXPECT_THAT(Problem("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(Problem("[1]"), HasSubstr("the tokenizer has the wrong type"));
  EXPECT_THAT(Problem(R"({"model": 3})"), HasSubstr("model has the wrong type"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": "x"}})"), HasSubstr("model.vocab"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": {"a": -1}}})"), HasSubstr("the id of a token"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": {"a": 0.5}}})"), HasSubstr("the id of a token"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": {"a": 16777216}}})"), HasSubstr("out of range"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": [["a", "b"]]}})"), HasSubstr("model.vocab"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": [["a", 1, 2]]}})"), HasSubstr("model.vocab"));
  EXPECT_THAT(Problem(R"({"model": {"vocab": {"a": 0, "a": 1}}})"), HasSubstr("key occurs twice"));
  EXPECT_THAT(Problem(R"({"model": {"type": "WordPiece", "vocab": {"a": 0, "b": 0}}})"),
              HasSubstr("two tokens have the id 0"));
  EXPECT_THAT(Problem(R"({"model": {"type": "WordPiece", "vocab": {}}})"),
              HasSubstr("holds no tokens"));
  EXPECT_THAT(Problem(R"({"added_tokens": [{"id": 1}], "model": {"type": "BPE"}})"),
              HasSubstr("added_tokens[0]"));
  EXPECT_THAT(Problem(R"({"added_tokens": {"a": 1}})"), HasSubstr("added_tokens"));
  EXPECT_THAT(Problem(std::string(70, '[') + std::string(70, ']')), HasSubstr("nested deeper"));
  EXPECT_THAT(Problem("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("Git LFS"));
}

TEST_F(VocabularyFiles, AnErrorKnowsItsByte) {
  EXPECT_EQ(Refused("tokenizer.json", R"({"model": {"vocab": {"a": "b"}}})").byte_offset, 28u);
  EXPECT_EQ(Refused("tokenizer.json", R"({"a": 1, "a": 2})").byte_offset, 11u);
}

TEST_F(VocabularyFiles, OtherTokenizersAreUnsupported) {
  for (const auto& [json, problem] : std::map<std::string, std::string>{
           {R"({"model": {"type": "WordLevel", "vocab": {"a": 0}}})", "this model type"},
           {R"({"model": {"vocab": {"a": 0}}})", "this model type"},
           {R"({"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0}}})",
            "mark the end"},
           {R"({"model": {"type": "BPE", "vocab": {"a": 0}}})", "nothing tells"},
           {R"({"decoder": {"type": "ByteLevel"}, "pre_tokenizer": {"type": "Metaspace"},
                "model": {"type": "BPE", "vocab": {"a": 0}}})",
            "two spellings"}}) {
    const Error error = Refused("tokenizer.json", json);
    EXPECT_EQ(error.kind, ErrorKind::kUnsupported) << json;
    EXPECT_THAT(error.problem, HasSubstr(problem));
  }
}

TEST_F(VocabularyFiles, BadPlainVocabulariesNameTheirProblem) {
  EXPECT_THAT(Refused("vocab.txt", "").problem, HasSubstr("holds no tokens"));
  folder_.Write("vocab.txt", "the\n");
  EXPECT_THAT(Refused("vocab.json", R"({"a": {"b": 1}})").problem, HasSubstr("not a vocabulary"));
  EXPECT_THAT(Refused("vocab.json", R"({"a": 1})").problem, HasSubstr("nothing tells"));
  for (const char* line : {"IQ==", "IQ== x", "IQ== 1 ", "I 1", "I=== 1", "IR== 1", "I!== 1",
                           "IQ== 99999999999999999999", "IQ==  1"}) {
    const Error error = Refused("tokenizer.model", std::string("AA== 0\n") + line);
    EXPECT_THAT(error.problem, HasSubstr("no token with its rank")) << line;
    EXPECT_EQ(error.byte_offset, 7u);
  }
  EXPECT_THAT(Refused("tokenizer.model", "IQ== 1\nAA== 1\n").problem,
              HasSubstr("two tokens have the id 1"));
}

TEST_F(VocabularyFiles, BadTekkenNamesItsProblem) {
  EXPECT_THAT(Refused("tekken.json", R"({"vocab": [{"rank": 0, "token_bytes": "IQ=="}]})").problem,
              HasSubstr("does not say its size"));
  EXPECT_THAT(Refused("tekken.json", R"({"vocab": [{"rank": 0, "token_bytes": "I"}]})").problem,
              HasSubstr("vocab[0] is no token"));
  EXPECT_THAT(Refused("tekken.json", R"({"special_tokens": [{"rank": 0}]})").problem,
              HasSubstr("special_tokens[0] is no token"));
}

}  // namespace
}  // namespace tensorguard::internal
