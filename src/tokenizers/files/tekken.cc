#include "tokenizers/files/tekken.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/try.h"
#include "tokenizers/files/base64.h"
#include "tokenizers/files/json_walk.h"

namespace tensorguard::internal {
namespace {

struct Entry {
  bool is_special = false;
  size_t index = 0;  // in the file's list
  std::optional<uint64_t> rank;
  std::optional<std::string> text;
};

class Tekken {
 public:
  Result<void> Take(JsonPath path, const JsonScalar& value) {
    const auto* number = std::get_if<uint64_t>(&value);
    if (path.size() == 2 && path[0].Is("config") && number != nullptr) {
      if (path[1].Is("default_vocab_size")) vocabulary_size_ = *number;
      if (path[1].Is("default_num_special_tokens")) special_count_ = *number;
      return {};
    }
    if (path.size() != 3 || !path[1].in_array) return {};
    if (path[0].Is("vocab")) return TakeField(/*is_special=*/false, path, value);
    if (path[0].Is("special_tokens")) return TakeField(/*is_special=*/true, path, value);
    return {};
  }

  Result<Vocabulary> Finish() {
    TG_TRY(FinishEntry());
    if (!vocabulary_size_ || !special_count_) {
      return Error{.problem = "the vocabulary does not say its size",
                   .expected = "config with default_vocab_size and default_num_special_tokens"};
    }
    Vocabulary vocabulary = {.kind = TokenizerKind::kByteLevelBpe, .tokens = {}, .file = {}};
    for (size_t i = 0; i < ranked_.size(); ++i) {
      const Token token = ranked_[i];
      const bool is_special = token.token_class == TokenClass::kSpecial;
      const auto id = CheckedAdd(token.id, is_special ? 0 : *special_count_);
      if (!id || *id >= *vocabulary_size_) continue;
      TG_TRY(vocabulary.tokens.Add(*id, token.text, token.token_class));
    }
    TG_TRY(vocabulary.tokens.SortById());
    return vocabulary;
  }

 private:
  Result<void> TakeField(bool is_special, JsonPath path, const JsonScalar& value) {
    const size_t index = path[1].index;
    if (entry_ && (entry_->index != index || entry_->is_special != is_special)) {
      if (auto added = FinishEntry(); !added) return added;
    }
    if (!entry_) entry_ = Entry{.is_special = is_special, .index = index, .rank = {}, .text = {}};
    const auto* number = std::get_if<uint64_t>(&value);
    const auto* text = std::get_if<std::string_view>(&value);
    if (path[2].Is("rank") && number != nullptr) entry_->rank = *number;
    if (path[2].Is(is_special ? "token_str" : "token_bytes") && text != nullptr) {
      entry_->text = is_special ? std::string(*text) : DecodeBase64(*text);
    }
    return {};
  }

  Result<void> FinishEntry() {
    if (!entry_) return {};
    const Entry entry = *std::exchange(entry_, std::nullopt);
    if (!entry.rank || !entry.text) {
      return Error{
          .problem = fmt::format("{}[{}] is no token",
                                 entry.is_special ? "special_tokens" : "vocab", entry.index),
          .expected = entry.is_special ? "rank and token_str" : "rank and token_bytes in base64"};
    }
    return ranked_.Add(*entry.rank, *entry.text,
                       entry.is_special ? TokenClass::kSpecial : TokenClass::kText);
  }

  std::optional<uint64_t> vocabulary_size_;
  std::optional<uint64_t> special_count_;
  std::optional<Entry> entry_;
  TokenList ranked_;  // ids are ranks
};

}  // namespace

Result<Vocabulary> ParseTekken(std::string_view text) {
  Tekken tekken;
  auto walked = WalkJson(
      text, [&](JsonPath path, const JsonScalar& value) { return tekken.Take(path, value); });
  if (!walked) return std::move(walked).error();
  return tekken.Finish();
}

}  // namespace tensorguard::internal
