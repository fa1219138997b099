#include "full_profile/full_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "full_profile/kernel_algebra.h"
#include "full_profile/response_kernels.h"
#include "full_profile/stored_fingerprint.h"
#include "full_profile/weight_summaries.h"
#include "network/network.h"
#include "tokenizers/anchor_list.h"

namespace tensorguard {
namespace {

// Counts each of the two readings of the weights as all of their bytes.
class TwoPassProgress {
 public:
  TwoPassProgress(const ProgressCallback& callback, const WeightSource& source)
      : callback_(callback) {
    for (const TensorInfo& tensor : source.tensors()) pass_bytes_ += tensor.stored_bytes;
  }

  void LayerDone(size_t layer, size_t layers) {
    const double share = static_cast<double>(layer + 1) / static_cast<double>(layers);
    const std::string what = fmt::format("layer {}", layer);
    Report(what, static_cast<uint64_t>(share * static_cast<double>(pass_bytes_)));
  }

  void TensorRead(std::string_view tensor, uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    sketched_bytes_ = std::min(pass_bytes_, sketched_bytes_ + bytes);
    Report(tensor, pass_bytes_ + sketched_bytes_);
  }

 private:
  void Report(std::string_view what, uint64_t bytes) {
    if (callback_) callback_({what, bytes, 2 * pass_bytes_});
  }

  const ProgressCallback& callback_;
  uint64_t pass_bytes_ = 0;
  std::mutex mutex_;
  uint64_t sketched_bytes_ = 0;
};

bool IsInteger(DType dtype) {
  return dtype == DType::kBool || dtype == DType::kU8 || dtype == DType::kI8 ||
         dtype == DType::kI16 || dtype == DType::kU16 || dtype == DType::kI32 ||
         dtype == DType::kU32 || dtype == DType::kI64 || dtype == DType::kU64;
}

// Integers in place of a matrix stand for other numbers.
Result<void> RefuseCodes(const Network& network) {
  const auto& tensors = network.source().tensors();
  for (const Weight& weight : network.weights()) {
    const TensorInfo& tensor = tensors[weight.tensor_index];
    if (weight.is_vector || !IsInteger(tensor.dtype) || weight.role.role == Role::kOther) continue;
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "the weights are a quantiser's codes",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .found = fmt::format("{} in place of a {} matrix", InfoOf(tensor.dtype).name,
                                      RoleName(weight.role.role)),
                 .expected = "floating-point numbers",
                 .advice = "dequantise the model first"};
  }
  return {};
}

Result<void> UseAnchors(const Model& model, uint64_t vocabulary_size,
                        const std::optional<ChosenAnchors>& given, FullFingerprint& fingerprint) {
  ChosenAnchors chosen = given ? *given : ChooseAnchors(model, vocabulary_size);
  const auto beyond = std::find_if(chosen.tokens.begin(), chosen.tokens.end(),
                                   [&](uint32_t token) { return token >= vocabulary_size; });
  if (beyond != chosen.tokens.end()) {
    return Error{.kind = ErrorKind::kMismatch,
                 .problem = "the other model's anchors lie beyond this model's vocabulary",
                 .found = fmt::format("token {}", *beyond),
                 .expected = fmt::format("ids below {}", vocabulary_size)};
  }
  fingerprint.anchor_kind = chosen.kind;
  fingerprint.anchor_list_version = kAnchorListVersion;
  fingerprint.anchors = std::move(chosen.anchors);
  fingerprint.anchor_tokens = std::move(chosen.tokens);
  fingerprint.notes = std::move(chosen.notes);
  return {};
}

Result<void> AddGrams(const AnchorRows& rows, FullFingerprint& fingerprint) {
  fingerprint.input_gram = RowProducts(rows.inputs, rows.inputs);
  fingerprint.output_gram = RowProducts(rows.outputs, rows.outputs);
  // Of unlike widths only where the head reads another space than the embedding writes.
  fingerprint.cross_gram = rows.inputs.columns() == rows.outputs.columns()
                               ? RowProducts(rows.inputs, rows.outputs)
                               : FloatMatrix(rows.inputs.rows(), rows.outputs.rows());
  for (FloatMatrix* gram :
       {&fingerprint.input_gram, &fingerprint.output_gram, &fingerprint.cross_gram}) {
    DoubleCentre(*gram);
    if (CanBeStored(*gram)) continue;
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "the embeddings are too large to multiply",
                 .found = "a Gram matrix that is not finite"};
  }
  return {};
}

// The matrix of this role in the main stack; null if there is none.
const Weight* FindTable(const Network& network, Role role, const std::string& main_stack) {
  for (const Weight& weight : network.weights()) {
    const TensorRole& found = weight.role;
    const bool main = found.stack.empty() || found.stack == main_stack;
    if (found.role == role && main && !found.is_bias && !weight.is_vector) return &weight;
  }
  return nullptr;
}

Result<FloatMatrix> SketchTable(const Network& network, Role role, const std::string& main_stack,
                                std::span<const uint32_t> tokens) {
  const Weight* table = FindTable(network, role, main_stack);
  const auto last = std::max_element(tokens.begin(), tokens.end());
  if (table == nullptr || last == tokens.end() || *last >= table->rows) return FloatMatrix();
  return SketchRows(network.source(), *table, tokens);
}

Result<void> AddKernels(const Network& network, TwoPassProgress& progress,
                        FullFingerprint& fingerprint) {
  const auto rows = ReadAnchorRows(network, fingerprint.anchor_tokens);
  if (!rows) return rows.error();
  auto grams = AddGrams(*rows, fingerprint);
  if (!grams) return grams;
  const size_t layers = network.description().layers.size();
  for (size_t layer = 0; layer < layers; ++layer) {
    auto response = RespondLayer(network, layer, *rows);
    if (!response) return std::move(response).error();
    fingerprint.layers.push_back(*std::move(response));
    progress.LayerDone(layer, layers);
  }
  const auto notes = NotesOnLayers(fingerprint.layers);
  fingerprint.notes.insert(fingerprint.notes.end(), notes.begin(), notes.end());
  return {};
}

Result<void> AddSketches(const Network& network, const std::string& main_stack, unsigned threads,
                         TwoPassProgress& progress, FullFingerprint& fingerprint) {
  auto embedding = SketchTable(network, Role::kEmbedding, main_stack, fingerprint.anchor_tokens);
  if (!embedding) return std::move(embedding).error();
  fingerprint.embedding_sketch = *std::move(embedding);
  if (!fingerprint.tied_head) {
    auto head = SketchTable(network, Role::kOutputHead, main_stack, fingerprint.anchor_tokens);
    if (!head) return std::move(head).error();
    fingerprint.head_sketch = *std::move(head);
  }
  auto summaries = SummariseWeights(
      network.source(), network.weights(),
      {.threads = threads, .on_read = [&](std::string_view tensor, uint64_t bytes) {
         progress.TensorRead(tensor, bytes);
       }});
  if (!summaries) return std::move(summaries).error();
  fingerprint.weights = *std::move(summaries);
  return {};
}

}  // namespace

Result<FullFingerprint> ComputeFullFingerprint(const Model& model,
                                               const FullProfileOptions& options) {
  const auto network = Network::Build(model, options.threads);
  if (!network) return network.error();
  if (auto codes = RefuseCodes(**network); !codes) return std::move(codes).error();
  const NetworkDescription& description = (*network)->description();
  FullFingerprint fingerprint = {.model_name = model.name,
                                 .architecture = description.architecture,
                                 .parameters = model.parameter_count(),
                                 .vocabulary_size = description.vocabulary_size,
                                 .hidden_size = description.hidden_size,
                                 .tied_head = description.tied_head,
                                 .has_head = description.has_head};
  TwoPassProgress progress(options.on_progress, (*network)->source());
  auto anchors = UseAnchors(model, description.vocabulary_size, options.anchors, fingerprint);
  if (!anchors) return std::move(anchors).error();
  for (const std::string& assumed : description.assumed) {
    fingerprint.notes.push_back("not stated by the config: " + assumed);
  }
  auto kernels = AddKernels(**network, progress, fingerprint);
  if (!kernels) return std::move(kernels).error();
  auto sketches =
      AddSketches(**network, model.architecture.main_stack, options.threads, progress, fingerprint);
  if (!sketches) return std::move(sketches).error();
  return AsStored(std::move(fingerprint));
}

}  // namespace tensorguard
