// Checked reading of config.json: a missing or mistyped value is an empty one.
#ifndef TENSORGUARD_ARCHITECTURE_CONFIG_VIEW_H_
#define TENSORGUARD_ARCHITECTURE_CONFIG_VIEW_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.h"

namespace tensorguard::internal {

// A model's config, or the part of it that describes the text model: wrappers keep that in
// "text_config", "llm_config" and the like, encoder-decoders may keep one part per stack. A value
// of the part goes before one of the whole; of the whole beside a part that says all of its sizes
// only what wrappers say of the text model counts, the rest is of another modality.
class ConfigView {
 public:
  // The view keeps a pointer: `config` must outlive it.
  explicit ConfigView(const Json& config);

  // The same config seen from one stack of an encoder-decoder ("encoder" or "decoder").
  ConfigView ForStack(std::string_view stack) const;

  // The first of `keys` that holds a whole number above 0 and below 2^40.
  std::optional<uint64_t> Number(std::span<const std::string_view> keys) const;
  std::optional<bool> Flag(std::string_view key) const;
  // As the wrapper says it, whatever the part does.
  std::optional<bool> FlagOfWhole(std::string_view key) const;
  // The first of `keys` that holds a finite number of any kind.
  std::optional<double> Real(std::span<const std::string_view> keys) const;
  // The first of `keys` that holds a text.
  std::optional<std::string> Text(std::span<const std::string_view> keys) const;
  // Whatever the key holds, in the part or else in the whole; null where it is absent or null.
  const Json* Find(std::string_view key) const;

  // "model_type" of the whole and of the text part; only texts of plain letters, digits, '-', '_'
  // and '.', at most 64 of them.
  std::optional<std::string> ModelType() const;
  std::optional<std::string> TextModelType() const;

  // Whether the field's library was of this version or a later one when it wrote the model. False
  // where the config names none.
  bool IsWrittenSince(unsigned major, unsigned minor) const;

  std::optional<uint64_t> HiddenSize() const;
  std::optional<uint64_t> VocabularySize() const;
  std::optional<uint64_t> Layers() const;
  std::optional<uint64_t> Heads() const;
  std::optional<uint64_t> HeadSize() const;  // as stated, else hidden size by heads

 private:
  const Json* whole_ = nullptr;  // null where the config is no object
  const Json* part_ = nullptr;

  // The objects that may hold the key, the part first.
  std::array<const Json*, 2> HoldersOf(std::string_view key) const;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_CONFIG_VIEW_H_
