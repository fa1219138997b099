#include "transform/decoder_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <system_error>
#include <utility>

#include "architecture/architecture.h"
#include "base/bfloat16.h"
#include "base/file.h"
#include "base/try.h"
#include "numerics/encode_floats.h"
#include "numerics/half_floats.h"
#include "safetensors/safetensors_writer.h"
#include "transform/memory_model.h"

namespace tensorguard::internal {
namespace {

constexpr float kLargestFloat16 = 65504.0f;
constexpr float kLargestBFloat16 = 3.3895314e38f;

// To numbers that the type holds; what is too large becomes its largest.
void RoundTo(DType dtype, std::vector<float>& values) {
  if (dtype == DType::kBF16) {
    for (float& value : values) {
      value = ToFloat32(RoundToBFloat16(std::clamp(value, -kLargestBFloat16, kLargestBFloat16)));
    }
  }
  if (dtype == DType::kF16) {
    for (float& value : values) value = std::clamp(value, -kLargestFloat16, kLargestFloat16);
    std::vector<std::byte> bytes(values.size() * 2);
    EncodeFloats(dtype, values, bytes);
    DecodeHalfFloats(bytes, values);
  }
}

// Gathers tensors; parts that share a name become rows of one.
class Writer {
 public:
  explicit Writer(Precision precision) : precision_(precision) {}

  void Add(const std::string& name, DType dtype, const arma::fmat& part, bool is_vector) {
    if (part.is_empty()) return;
    NamedTensor& tensor = tensors_[name];
    tensor.name = name;
    tensor.dtype = precision_ == Precision::kFloat32 ? DType::kF32 : dtype;
    if (tensor.shape.empty()) tensor.shape.push_back(0);
    tensor.shape[0] += part.n_rows;
    if (!is_vector && tensor.shape.size() == 1) tensor.shape.push_back(part.n_cols);
    tensor.values.reserve(tensor.values.size() + part.n_elem);
    for (arma::uword row = 0; row < part.n_rows; ++row) {
      for (arma::uword column = 0; column < part.n_cols; ++column) {
        tensor.values.push_back(part(row, column));
      }
    }
  }

  std::vector<NamedTensor> Take() {
    std::vector<NamedTensor> taken;
    for (auto& [name, tensor] : tensors_) {
      RoundTo(tensor.dtype, tensor.values);
      taken.push_back(std::move(tensor));
    }
    return taken;
  }

 private:
  Precision precision_;
  std::map<std::string, NamedTensor> tensors_;
};

// What lies where in a layer; `visit` gets the slot and its matrix.
template <typename Visit>
void ForEachSlot(const DecoderLayer& layer, const Visit& visit) {
  const auto map = [&](Slot slot, const Projection& projection, uint32_t expert = 0) {
    visit(SlotKey{slot, expert}, projection.weight, false);
    visit(SlotKey{slot, expert, true}, arma::fmat(projection.bias), true);
  };
  const auto gain = [&](Slot slot, const arma::fvec& values) {
    visit(SlotKey{slot}, arma::fmat(values), true);
  };
  gain(Slot::kAttentionGain, layer.attention_gain);
  gain(Slot::kAttentionOutputGain, layer.attention_output_gain);
  gain(Slot::kFeedForwardGain, layer.feed_forward_gain);
  gain(Slot::kFeedForwardOutputGain, layer.feed_forward_output_gain);
  gain(Slot::kQueryGain, layer.query_gain);
  gain(Slot::kKeyGain, layer.key_gain);
  map(Slot::kQuery, layer.query);
  map(Slot::kKey, layer.key);
  map(Slot::kValue, layer.value);
  map(Slot::kOutput, layer.output);
  for (uint32_t e = 0; e < layer.blocks.size(); ++e) {
    map(Slot::kGate, layer.blocks[e].gate, e);
    map(Slot::kUp, layer.blocks[e].up, e);
    map(Slot::kDown, layer.blocks[e].down, e);
  }
  map(Slot::kRouter, layer.router);
  if (layer.shared) {
    map(Slot::kSharedGate, layer.shared->gate);
    map(Slot::kSharedUp, layer.shared->up);
    map(Slot::kSharedDown, layer.shared->down);
  }
  map(Slot::kSharedExpertGate, layer.shared_gate);
}

bool IsGain(Slot slot) { return slot <= Slot::kKeyGain; }

// Own words for each slot, in the grammar that model files have; letters tell the matrices apart.
std::string OwnWord(const SlotKey& key) {
  static constexpr std::array kWords = {"pre",   "mid",   "fore",  "aft",   "qn",    "kn",
                                        "mix.a", "mix.b", "mix.c", "mix.d", "den.a", "den.b",
                                        "den.c", "com.a", "com.b", "com.c", "pick",  "com.d"};
  const std::string word = kWords.at(static_cast<size_t>(key.slot));
  const bool of_expert =
      key.slot == Slot::kGate || key.slot == Slot::kUp || key.slot == Slot::kDown;
  const std::string expert = of_expert && key.expert > 0 ? fmt::format("e{}.", key.expert) : "";
  return expert + word + (key.is_bias ? ".b" : ".w");
}

std::map<std::string, std::string> OwnNames(const Decoder& decoder) {
  std::map<std::string, std::string> own = {{decoder.embedding_name.name, "trunk.tok.w"},
                                            {decoder.head_name.name, "trunk.say.w"},
                                            {decoder.final_gain_name.name, "trunk.end.w"}};
  for (size_t l = 0; l < decoder.layers.size(); ++l) {
    for (const auto& [key, name] : decoder.names) {
      own.emplace(fmt::format("{}{}{}", name.before, l, name.after),
                  fmt::format("trunk.block.{}.{}", l, OwnWord(key)));
    }
  }
  return own;
}

void Rename(const Decoder& decoder, std::vector<NamedTensor>& tensors) {
  if (decoder.name_scheme == NameScheme::kOriginal) return;
  const auto own = OwnNames(decoder);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto found = own.find(tensors[i].name);
    const bool numbers = decoder.name_scheme == NameScheme::kNumbers || found == own.end();
    tensors[i].name = numbers ? fmt::format("t{:04}", i) : found->second;
  }
  std::ranges::sort(tensors, {}, &NamedTensor::name);
}

// Sets the keys that the config has, and `always` in any case.
void SetNumber(Json& config, const char* key, uint64_t number, bool always = false) {
  if (always || config.contains(key)) config[key] = number;
}

Error HoldsModel(const std::filesystem::path& folder) {
  return {.kind = ErrorKind::kUsage,
          .problem = "the folder holds a model already",
          .file = folder.string(),
          .found = "a file config.json or model.safetensors",
          .advice = "name a new folder"};
}

Result<void> WriteTensors(const std::vector<NamedTensor>& tensors,
                          const std::filesystem::path& path) {
  std::vector<TensorToWrite> header;
  for (const NamedTensor& tensor : tensors) {
    header.push_back({tensor.name, tensor.dtype, tensor.shape});
  }
  auto writer = SafetensorsWriter::Create(path, header, {{"format", "pt"}});
  if (!writer) return std::move(writer).error();
  for (const NamedTensor& tensor : tensors) {
    std::vector<std::byte> bytes(tensor.values.size() * InfoOf(tensor.dtype).bits / 8);
    EncodeFloats(tensor.dtype, tensor.values, bytes);  // values were rounded to what fits
    if (auto written = (*writer)->Append(bytes); !written) return written;
  }
  return (*writer)->Finish();
}

// Files beside a model that belong to its tokenizer. The second kind holds the token strings again,
// in another form: they would contradict a changed tokenizer.json.
constexpr std::array kSettings = {"tokenizer_config.json", "special_tokens_map.json",
                                  "generation_config.json", "added_tokens.json",
                                  "chat_template.jinja"};
constexpr std::array kStrings = {"tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt",
                                 "vocab.txt",      "spiece.model",    "tekken.json"};
constexpr uint64_t kLargestTokenizerBytes = 64ull << 20;

Result<void> CopySmallFile(const TokenizerFiles& tokenizer, const char* name,
                           const std::filesystem::path& folder) {
  const auto path = tokenizer.folder / name;
  TG_ASSIGN(const auto exists, tokenizer.files->Exists(path));
  if (!exists) return {};
  TG_ASSIGN(const auto text, ReadSmallFile(*tokenizer.files, path, kLargestTokenizerBytes));
  return WriteFileAtomically(folder / name, text);
}

Result<void> WriteTokenizer(const TokenizerFiles& tokenizer, const std::filesystem::path& folder) {
  if (tokenizer.changed_json) {
    auto written = WriteFileAtomically(folder / "tokenizer.json", *tokenizer.changed_json);
    if (!written) return written;
  }
  if (tokenizer.folder.empty()) return {};
  for (const char* name : kSettings) {
    if (auto copied = CopySmallFile(tokenizer, name, folder); !copied) return copied;
  }
  if (tokenizer.changed_json) return {};
  for (const char* name : kStrings) {
    if (auto copied = CopySmallFile(tokenizer, name, folder); !copied) return copied;
  }
  return {};
}

}  // namespace

std::vector<NamedTensor> TensorsOf(const Decoder& decoder, Precision precision) {
  Writer writer(precision);
  const float offset = decoder.gain_plus_one ? 1 : 0;
  const auto outer = [&](const OuterName& name, const arma::fmat& part, bool is_vector) {
    writer.Add(name.name, name.dtype, part, is_vector);
  };
  outer(decoder.embedding_name, decoder.embedding, false);
  outer(decoder.head_name, decoder.head, false);
  outer(decoder.final_gain_name, arma::fmat(decoder.final_gain) - offset, true);
  for (size_t l = 0; l < decoder.layers.size(); ++l) {
    ForEachSlot(decoder.layers[l], [&](SlotKey key, const arma::fmat& part, bool is_vector) {
      const auto name = decoder.names.find(key);
      if (part.is_empty() || name == decoder.names.end()) return;
      const auto& [before, after, dtype] = name->second;
      const std::string full = fmt::format("{}{}{}", before, l, after);
      if (IsGain(key.slot) && offset != 0) {
        writer.Add(full, dtype, part - offset, is_vector);
      } else {
        writer.Add(full, dtype, part, is_vector);
      }
    });
  }
  std::vector<NamedTensor> tensors = writer.Take();
  Rename(decoder, tensors);
  return tensors;
}

Json ConfigOf(const Decoder& decoder) {
  Json whole = decoder.config;
  Json& config = TextConfig(whole);
  SetNumber(config, "hidden_size", decoder.hidden(), true);
  SetNumber(config, "num_hidden_layers", decoder.layers.size(), true);
  SetNumber(config, "num_attention_heads", decoder.heads, true);
  SetNumber(config, "num_key_value_heads", decoder.key_heads, true);
  SetNumber(config, "head_dim", decoder.head_size, true);
  SetNumber(config, "vocab_size", decoder.vocabulary(), true);
  if (decoder.is_mixture()) {
    const bool own = config.contains("moe_intermediate_size");
    SetNumber(config, own ? "moe_intermediate_size" : "intermediate_size", decoder.units(), true);
  } else {
    SetNumber(config, "intermediate_size", decoder.units(), true);
  }
  config["tie_word_embeddings"] = decoder.tied();
  if (whole.contains("tie_word_embeddings")) whole["tie_word_embeddings"] = decoder.tied();
  config["rms_norm_eps"] = decoder.epsilon;
  if (!decoder.layers.front().layer_type.is_null()) {
    Json list = Json::array();
    for (const DecoderLayer& layer : decoder.layers) list.push_back(layer.layer_type);
    config["layer_types"] = std::move(list);
  }
  return whole;
}

Model ModelInMemory(const Decoder& decoder, Precision precision) {
  Model model;
  model.name = decoder.name;
  model.path = decoder.name;
  model.config = ConfigOf(decoder);
  model.weights = std::make_shared<TensorsInMemory>(TensorsOf(decoder, precision));
  model.architecture = Understand(model.config, model.weights->tensors());
  model.tokenizer_folder = decoder.tokenizer.folder;
  model.files = decoder.tokenizer.files;
  if (decoder.tokenizer.changed_json) {
    model.tokenizer_folder = "memory";
    model.files = FilesInMemory({{"tokenizer.json", *decoder.tokenizer.changed_json}});
  }
  return model;
}

Result<void> WriteDecoder(const Decoder& decoder, const std::filesystem::path& folder,
                          std::optional<DType> dtype) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) {
    return Error{.kind = ErrorKind::kSystem,
                 .problem = "cannot make the folder",
                 .file = folder.string(),
                 .found = failed.message()};
  }
  for (const char* name : {"config.json", "model.safetensors"}) {
    if (std::filesystem::exists(folder / name, failed)) return HoldsModel(folder);
  }
  Decoder typed = decoder;
  if (dtype) {
    for (auto& [key, name] : typed.names) name.dtype = *dtype;
    for (OuterName* name : {&typed.embedding_name, &typed.head_name, &typed.final_gain_name}) {
      name->dtype = *dtype;
    }
  }
  auto written = WriteTensors(TensorsOf(typed, Precision::kAsStored), folder / "model.safetensors");
  if (!written) return written;
  Json config = ConfigOf(decoder);
  if (dtype && config.contains("torch_dtype")) {
    config["torch_dtype"] = *dtype == DType::kF32   ? "float32"
                            : *dtype == DType::kF16 ? "float16"
                                                    : "bfloat16";
  }
  if (auto text = WriteFileAtomically(folder / "config.json", config.dump(1) + "\n"); !text) {
    return text;
  }
  return WriteTokenizer(decoder.tokenizer, folder);
}

}  // namespace tensorguard::internal
