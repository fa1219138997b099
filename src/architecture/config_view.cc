#include "architecture/config_view.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

namespace tensorguard::internal {
namespace {

constexpr std::array<std::string_view, 6> kTextParts = {
    "text_config", "llm_config", "language_config", "thinker_config", "text_model", "decoder"};

constexpr std::array<std::string_view, 6> kHiddenKeys = {"hidden_size", "d_model", "n_embd",
                                                         "emb_dim",     "dim",     "model_dim"};
constexpr std::array<std::string_view, 2> kVocabularyKeys = {"vocab_size", "n_vocab"};
constexpr std::array<std::string_view, 5> kLayerKeys = {"num_hidden_layers", "n_layer",
                                                        "num_layers", "n_layers", "decoder_layers"};
constexpr std::array<std::string_view, 6> kHeadKeys = {
    "num_attention_heads",        "n_head", "n_heads", "num_heads", "decoder_attention_heads",
    "num_decoder_attention_heads"};
constexpr std::array<std::string_view, 3> kHeadSizeKeys = {"head_dim", "d_kv", "kv_channels"};

const Json* Member(const Json* object, std::string_view key) {
  if (object == nullptr) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

const Json* ObjectMember(const Json* object, std::string_view key) {
  const Json* member = Member(object, key);
  return member != nullptr && member->is_object() ? member : nullptr;
}

std::optional<uint64_t> NumberIn(const Json* object, std::string_view key) {
  const Json* member = Member(object, key);
  if (member == nullptr || !member->is_number_integer()) return {};
  // A number too large for int64_t comes out negative.
  const auto number = member->get<int64_t>();
  if (number <= 0 || number >= (int64_t{1} << 40)) return {};
  return static_cast<uint64_t>(number);
}

std::optional<std::string> NameIn(const Json* object, std::string_view key) {
  const Json* member = Member(object, key);
  if (member == nullptr || !member->is_string()) return {};
  const auto& text = member->get_ref<const std::string&>();
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (text.empty() || text.size() > 64 || !plain) return {};
  return text;
}

}  // namespace

ConfigView::ConfigView(const Json& config) {
  if (!config.is_object()) return;
  whole_ = &config;
  for (const std::string_view key : kTextParts) {
    part_ = ObjectMember(whole_, key);
    if (part_ != nullptr) break;
  }
  // Speech-to-speech models nest once more: thinker_config.text_config.
  if (const Json* inner = ObjectMember(part_, "text_config")) part_ = inner;
}

ConfigView ConfigView::ForStack(std::string_view stack) const {
  ConfigView view = *this;
  if (const Json* part = ObjectMember(whole_, stack)) view.part_ = part;
  if (const Json* text = ObjectMember(view.part_, "text_config")) view.part_ = text;
  return view;
}

std::array<const Json*, 2> ConfigView::HoldersOf(std::string_view key) const {
  // What wrappers say of the text model outside its own part.
  static constexpr std::array<std::string_view, 9> kOfWrapper = {
      "tie_word_embeddings",    "vocab_size",  "n_vocab",
      "pad_token_id",           "is_decoder",  "is_encoder_decoder",
      "decoder_start_token_id", "torch_dtype", "quantization_config"};
  const bool complete = std::ranges::any_of(
      kHeadKeys, [&](std::string_view heads) { return NumberIn(part_, heads).has_value(); });
  const bool of_wrapper = std::ranges::find(kOfWrapper, key) != kOfWrapper.end();
  return {part_, !complete || of_wrapper ? whole_ : nullptr};
}

std::optional<uint64_t> ConfigView::Number(std::span<const std::string_view> keys) const {
  for (const size_t holder : {0, 1}) {
    for (const std::string_view key : keys) {
      if (const auto number = NumberIn(HoldersOf(key)[holder], key)) return number;
    }
  }
  return {};
}

std::optional<bool> ConfigView::Flag(std::string_view key) const {
  for (const Json* object : HoldersOf(key)) {
    const Json* member = Member(object, key);
    if (member != nullptr && member->is_boolean()) return member->get<bool>();
  }
  return {};
}

std::optional<bool> ConfigView::FlagOfWhole(std::string_view key) const {
  const Json* member = Member(whole_, key);
  if (member == nullptr || !member->is_boolean()) return {};
  return member->get<bool>();
}

std::optional<double> ConfigView::Real(std::span<const std::string_view> keys) const {
  for (const size_t holder : {0, 1}) {
    for (const std::string_view key : keys) {
      const Json* member = Member(HoldersOf(key)[holder], key);
      if (member == nullptr || !member->is_number()) continue;
      const auto number = member->get<double>();
      if (std::isfinite(number)) return number;
    }
  }
  return {};
}

std::optional<std::string> ConfigView::Text(std::span<const std::string_view> keys) const {
  for (const size_t holder : {0, 1}) {
    for (const std::string_view key : keys) {
      const Json* member = Member(HoldersOf(key)[holder], key);
      if (member != nullptr && member->is_string()) return member->get<std::string>();
    }
  }
  return {};
}

const Json* ConfigView::Find(std::string_view key) const {
  for (const Json* object : HoldersOf(key)) {
    const Json* member = Member(object, key);
    if (member != nullptr && !member->is_null()) return member;
  }
  return nullptr;
}

std::optional<std::string> ConfigView::ModelType() const { return NameIn(whole_, "model_type"); }
std::optional<std::string> ConfigView::TextModelType() const { return NameIn(part_, "model_type"); }

bool ConfigView::IsWrittenSince(unsigned major, unsigned minor) const {
  const Json* version = Member(whole_, "transformers_version");
  if (version == nullptr || !version->is_string()) return false;
  const auto& text = version->get_ref<const std::string&>();
  const char* const end = text.data() + text.size();
  unsigned found_major = 0;
  unsigned found_minor = 0;
  const auto first = std::from_chars(text.data(), end, found_major);
  if (first.ec != std::errc() || first.ptr == end) return false;
  std::from_chars(first.ptr + 1, end, found_minor);
  return std::pair(found_major, found_minor) >= std::pair(major, minor);
}

std::optional<uint64_t> ConfigView::HiddenSize() const { return Number(kHiddenKeys); }
std::optional<uint64_t> ConfigView::VocabularySize() const { return Number(kVocabularyKeys); }
std::optional<uint64_t> ConfigView::Layers() const { return Number(kLayerKeys); }
std::optional<uint64_t> ConfigView::Heads() const { return Number(kHeadKeys); }

std::optional<uint64_t> ConfigView::HeadSize() const {
  if (const auto stated = Number(kHeadSizeKeys)) return stated;
  const auto hidden = HiddenSize();
  const auto heads = Heads();
  if (!hidden || !heads || *hidden % *heads != 0) return {};
  return *hidden / *heads;
}

}  // namespace tensorguard::internal
