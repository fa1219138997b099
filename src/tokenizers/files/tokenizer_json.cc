#include "tokenizers/files/tokenizer_json.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/text.h"
#include "base/try.h"
#include "tokenizers/files/json_walk.h"

namespace tensorguard::internal {
namespace {

Error WrongValue(std::string_view what, std::string_view expected) {
  return {.problem = fmt::format("{} has the wrong type or value", what),
          .expected = std::string(expected)};
}

Error Unsupported(std::string problem, std::string_view found, std::string_view expected) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = std::move(problem),
          .found = std::string(found),
          .expected = std::string(expected)};
}

// What the parts around the model say about the spelling of its tokens.
struct Declarations {
  bool byte_level = false;
  bool sentence_piece = false;
};

struct AddedToken {
  size_t index = 0;  // in the file
  std::optional<uint64_t> id;
  std::optional<std::string> content;
  bool is_special = false;
};

class TokenizerJson {
 public:
  Result<void> Take(JsonPath path, const JsonScalar& value) {
    if (path.empty() || path[0].in_array) return WrongValue("the tokenizer", "an object");
    if (path[0].Is("model")) return TakeModel(path.subspan(1), value);
    if (path[0].Is("added_tokens")) return TakeAdded(path.subspan(1), value);
    for (const char* part : {"normalizer", "pre_tokenizer", "decoder"}) {
      if (path[0].Is(part)) NoteDeclaration(path.back(), value);
    }
    return {};
  }

  Result<Vocabulary> Finish() {
    TG_TRY(FinishAdded());
    TG_ASSIGN(auto kind, DecideKind());
    TG_ASSIGN(auto merged, MergeAdded());
    TG_ASSIGN(auto decoded, DecodeTokens(merged, kind, continuation_prefix_.value_or("##")));
    return Vocabulary{.kind = kind, .tokens = std::move(decoded), .file = {}};
  }

 private:
  Result<void> TakeModel(JsonPath path, const JsonScalar& value) {
    if (path.empty()) return WrongValue("model", "an object");
    if (path[0].Is("vocab")) return TakeEntry(path.subspan(1), value);
    if (path[0].Is("merges")) has_merges_ = true;
    if (path.size() > 1) return {};
    const auto* text = std::get_if<std::string_view>(&value);
    if (path[0].Is("type") && text != nullptr) type_ = *text;
    if (path[0].Is("byte_fallback") && value == JsonScalar(true)) declared_.sentence_piece = true;
    if (path[0].Is("continuing_subword_prefix") && text != nullptr) continuation_prefix_ = *text;
    if (path[0].Is("end_of_word_suffix") && text != nullptr) word_end_suffix_ = *text;
    return {};
  }

  // {"token": id, ...}, or for Unigram [["token", score], ...], where the place is the id.
  Result<void> TakeEntry(JsonPath path, const JsonScalar& value) {
    if (path.size() == 1 && !path[0].in_array) {
      const auto* id = std::get_if<uint64_t>(&value);
      if (id == nullptr) return WrongValue("the id of a token", "a whole number");
      return spelled_.Add(*id, path[0].key);
    }
    const bool is_pair = path.size() == 2 && path[0].in_array && path[1].in_array;
    if (!is_pair || path[1].index > 1) {
      return WrongValue("model.vocab", "token and id, or a list of token and score");
    }
    is_list_ = true;
    const auto* text = std::get_if<std::string_view>(&value);
    if ((path[1].index == 0) != (text != nullptr)) {
      return WrongValue("model.vocab", "a list of token and score");
    }
    if (text == nullptr) return {};
    return spelled_.Add(path[0].index, *text);
  }

  Result<void> TakeAdded(JsonPath path, const JsonScalar& value) {
    if (path.empty() && std::holds_alternative<std::monostate>(value)) return {};  // null
    if (path.size() != 2 || !path[0].in_array || path[1].in_array) {
      return WrongValue("added_tokens", "a list of objects");
    }
    if (pending_ && pending_->index != path[0].index) {
      if (auto added = FinishAdded(); !added) return added;
    }
    if (!pending_) pending_ = AddedToken{.index = path[0].index, .id = {}, .content = {}};
    const auto* id = std::get_if<uint64_t>(&value);
    const auto* text = std::get_if<std::string_view>(&value);
    if (path[1].Is("id") && id != nullptr) pending_->id = *id;
    if (path[1].Is("content") && text != nullptr) pending_->content = *text;
    if (path[1].Is("special")) pending_->is_special = value == JsonScalar(true);
    return {};
  }

  Result<void> FinishAdded() {
    if (!pending_) return {};
    const AddedToken token = *std::exchange(pending_, std::nullopt);
    if (!token.id || !token.content) {
      return WrongValue(fmt::format("added_tokens[{}]", token.index), "an id and its content");
    }
    return added_.Add(*token.id, *token.content,
                      token.is_special ? TokenClass::kSpecial : TokenClass::kLiteral);
  }

  void NoteDeclaration(const JsonStep& step, const JsonScalar& value) {
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) return;
    if (step.Is("type") && *text == "ByteLevel") declared_.byte_level = true;
    if (step.Is("type") && *text == "Metaspace") declared_.sentence_piece = true;
    if (*text == kSentencePieceSpace) declared_.sentence_piece = true;
  }

  // Files of the library's first versions name no type.
  std::string Type() const {
    if (!type_.empty()) return type_;
    if (is_list_) return "Unigram";
    if (has_merges_) return "BPE";
    return continuation_prefix_ ? "WordPiece" : "";
  }

  Result<TokenizerKind> DecideKind() const {
    const std::string type = Type();
    if (type == "WordPiece") return TokenizerKind::kWordPiece;
    if (type != "BPE" && type != "Unigram") {
      return Unsupported("tokenizers of this model type are not supported", EscapeControl(type, 80),
                         "BPE, Unigram or WordPiece");
    }
    for (const auto& mark : {word_end_suffix_, continuation_prefix_.value_or("")}) {
      if (mark.empty()) continue;
      return Unsupported("tokens that mark the end or the inside of a word are not supported",
                         EscapeControl(mark, 80), "marks at the start of a word");
    }
    if (declared_.byte_level && declared_.sentence_piece) {
      return Unsupported("the tokenizer declares two spellings", "ByteLevel and U+2581", "one");
    }
    if (declared_.byte_level) return TokenizerKind::kByteLevelBpe;
    if (declared_.sentence_piece) return TokenizerKind::kSentencePiece;
    if (const auto kind = KindBySpelling(spelled_)) return *kind;
    return Unsupported("nothing tells how the tokenizer spells a space", "",
                       "ByteLevel or Metaspace, or tokens that start with U+0120 or U+2581");
  }

  // Added tokens replace those of the model with the same id.
  Result<TokenList> MergeAdded() {
    TG_TRY(added_.SortById());
    std::set<uint32_t> replaced;
    for (size_t i = 0; i < added_.size(); ++i) replaced.insert(added_[i].id);
    TokenList merged;
    for (const TokenList* list : {&spelled_, &added_}) {
      for (size_t i = 0; i < list->size(); ++i) {
        const Token token = (*list)[i];
        if (list == &spelled_ && replaced.contains(token.id)) continue;
        TG_TRY(merged.Add(token.id, token.text, token.token_class));
      }
    }
    return merged;
  }

  std::string type_;
  bool has_merges_ = false;
  bool is_list_ = false;
  std::optional<std::string> continuation_prefix_;
  std::string word_end_suffix_;
  Declarations declared_;
  TokenList spelled_;
  TokenList added_;
  std::optional<AddedToken> pending_;
};

}  // namespace

Result<Vocabulary> ParseTokenizerJson(std::string_view text) {
  TokenizerJson tokenizer;
  auto walked = WalkJson(
      text, [&](JsonPath path, const JsonScalar& value) { return tokenizer.Take(path, value); });
  if (!walked) return std::move(walked).error();
  return tokenizer.Finish();
}

}  // namespace tensorguard::internal
