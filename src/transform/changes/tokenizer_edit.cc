#include "transform/changes/tokenizer_edit.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "transform/change.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kLargestTokenizerBytes = 64ull << 20;

// REQUIRES: valid UTF-8, as everything is that ParseJson lets through.
std::u32string Letters(const std::string& text) {
  std::u32string letters;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    char32_t letter = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t j = 1; j < length && i + j < text.size(); ++j) {
      letter = letter << 6 | (static_cast<unsigned char>(text[i + j]) & 0x3f);
    }
    letters.push_back(letter);
    i += length;
  }
  return letters;
}

void Append(char32_t letter, std::string& text) {
  const auto byte = [&](uint32_t bits) { text.push_back(static_cast<char>(bits)); };
  if (letter < 0x80) {
    byte(letter);
  } else if (letter < 0x800) {
    byte(0xc0 | letter >> 6);
    byte(0x80 | (letter & 0x3f));
  } else if (letter < 0x10000) {
    byte(0xe0 | letter >> 12);
    byte(0x80 | (letter >> 6 & 0x3f));
    byte(0x80 | (letter & 0x3f));
  } else {
    byte(0xf0 | letter >> 18);
    byte(0x80 | (letter >> 12 & 0x3f));
    byte(0x80 | (letter >> 6 & 0x3f));
    byte(0x80 | (letter & 0x3f));
  }
}

std::string Spelled(const std::string& text, const std::function<char32_t(char32_t)>& letter) {
  std::string spelled;
  for (const char32_t each : Letters(text)) Append(letter(each), spelled);
  return spelled;
}

Error NotEditable(std::string found) {
  return DoesNotFit(std::move(found),
                    "a tokenizer.json whose model has a \"vocab\" of strings with ids",
                    "give a model with such a tokenizer");
}

}  // namespace

Result<TokenizerEdit> TokenizerEdit::Open(const Decoder& model) {
  Json json;
  if (model.tokenizer.changed_json) {
    TG_ASSIGN(auto parsed, ParseJson(*model.tokenizer.changed_json));
    json = std::move(parsed);
  } else {
    const auto path = model.tokenizer.folder / "tokenizer.json";
    TG_ASSIGN(const auto exists, model.tokenizer.files->Exists(path));
    if (model.tokenizer.folder.empty() || !exists) return NotEditable("no tokenizer.json");
    TG_ASSIGN(auto read, ReadJsonFile(*model.tokenizer.files, path, kLargestTokenizerBytes));
    json = std::move(read);
  }
  if (!json.is_object() || !json.contains("model") || !json["model"].is_object()) {
    return NotEditable("a tokenizer.json without a model");
  }
  const auto vocab = json["model"].find("vocab");
  if (vocab == json["model"].end() || !vocab->is_object()) {
    return NotEditable("a \"vocab\" of another kind");
  }
  for (const auto& [token, id] : vocab->items()) {
    if (!id.is_number_unsigned() || id.get<uint64_t>() >= model.vocabulary()) {
      return NotEditable("an id beyond the embedding");
    }
  }
  return TokenizerEdit(std::move(json));
}

TokenizerEdit::TokenizerEdit(Json json) : json_(std::move(json)) {
  const auto added = json_.find("added_tokens");
  if (added == json_.end() || !added->is_array()) return;
  for (const Json& entry : *added) {
    if (!entry.is_object() || !entry.contains("content")) continue;
    if (entry["content"].is_string()) special_.insert(entry["content"].get<std::string>());
  }
}

std::vector<uint32_t> TokenizerEdit::PlainIds() const {
  std::vector<uint32_t> ids;
  for (const auto& [token, id] : json_["model"]["vocab"].items()) {
    if (!IsSpecial(token)) ids.push_back(id.get<uint32_t>());
  }
  std::ranges::sort(ids);
  return ids;
}

Json TokenizerEdit::RespelledMerges(const std::function<char32_t(char32_t)>& letter) const {
  Json merges = json_["model"].value("merges", Json());
  if (!merges.is_array()) return merges;
  // A merge is a pair, or one string with a space between the two.
  for (Json& merge : merges) {
    if (merge.is_array()) {
      for (Json& part : merge) {
        if (part.is_string()) part = Spelled(part.get<std::string>(), letter);
      }
    } else if (merge.is_string()) {
      merge = Spelled(merge.get<std::string>(),
                      [&](char32_t each) { return each == U' ' ? each : letter(each); });
    }
  }
  return merges;
}

void TokenizerEdit::Respell(const std::function<char32_t(char32_t)>& letter) {
  Json vocab = Json::object();
  for (const auto& [token, id] : json_["model"]["vocab"].items()) {
    vocab[IsSpecial(token) ? token : Spelled(token, letter)] = id;
  }
  if (json_["model"].contains("merges")) json_["model"]["merges"] = RespelledMerges(letter);
  json_["model"]["vocab"] = std::move(vocab);
}

void TokenizerEdit::Renumber(const std::function<uint32_t(uint32_t)>& id) {
  for (const auto& [token, number] : json_["model"]["vocab"].items()) {
    if (!IsSpecial(token)) number = id(number.get<uint32_t>());
  }
}

void TokenizerEdit::AddRespelled(const std::function<char32_t(char32_t)>& letter, uint32_t offset) {
  Json& vocab = json_["model"]["vocab"];
  const Json before = vocab;
  for (const auto& [token, id] : before.items()) {
    if (!IsSpecial(token)) vocab[Spelled(token, letter)] = id.get<uint32_t>() + offset;
  }
  const Json merges = RespelledMerges(letter);
  if (!merges.is_array()) return;
  for (const Json& merge : merges) json_["model"]["merges"].push_back(merge);
}

}  // namespace tensorguard::internal
