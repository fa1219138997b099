#include "profile/full_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "anchors/anchor_list.h"
#include "base/parallel.h"
#include "base/read_progress.h"
#include "base/try.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "fingerprint/stored_fingerprint.h"
#include "model/archive_sums.h"
#include "network/missing_embedding.h"
#include "network/missing_parts.h"
#include "network/network.h"
#include "network/placeholder_parts.h"
#include "profile/frame/frame.h"
#include "profile/reading_plan.h"
#include "profile/response_kernels.h"
#include "profile/weights/weight_summaries.h"
#include "profile/zero_parts.h"

namespace tensorguard::internal {
namespace {

uint64_t StoredBytes(const WeightSource& source) {
  uint64_t bytes = 0;
  for (const TensorInfo& tensor : source.tensors()) bytes += tensor.stored_bytes;
  return bytes;
}

// Shows each block to the summaries and, once it is there, to the frame. Thread-safe.
class Watchers : public WeightBlockObserver {
 public:
  explicit Watchers(WeightSummaries& summaries) : summaries_(summaries) {}

  // To be called before any block is read.
  void Add(WeightBlockObserver& frame) { frame_ = &frame; }

  Result<void> Observe(const Weight& weight, const WeightBlock& block) override {
    auto seen = summaries_.Observe(weight, block);
    return seen && frame_ != nullptr ? frame_->Observe(weight, block) : seen;
  }

 private:
  WeightSummaries& summaries_;
  WeightBlockObserver* frame_ = nullptr;
};

// Layers are computed side by side, each by threads of its own.
struct ThreadSplit {
  unsigned layers = 1;
  unsigned within_layer = 1;
};

// What the responses of the layers in work may take in memory together.
constexpr uint64_t kMostResponseBytes = uint64_t{256} << 20;
// Matrices of the widest kind that a layer holds at a time: gate, up, their product, rounded
// inputs.
constexpr uint64_t kWidestMatrices = 4;

// Bytes of one layer's responses to all anchors.
uint64_t ResponseBytes(const Model& model) {
  uint64_t widest = 1;
  for (size_t i = 0; i < model.architecture.roles.size(); ++i) {
    if (!model.architecture.roles[i].layer) continue;
    const auto& shape = model.weights->tensors()[i].shape;
    const size_t first = shape.size() > 2 ? shape.size() - 2 : 0;  // behind the number of experts
    for (size_t d = first; d < shape.size(); ++d) widest = std::max(widest, shape[d]);
  }
  return kWidestMatrices * kMostAnchors * sizeof(float) * widest;
}

// As many layers at once as there are threads, as long as their responses fit: layers need not wait
// for each other, the blocks of one weight do.
ThreadSplit SplitThreads(const Model& model, unsigned threads) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  const uint64_t fitting = std::max<uint64_t>(1, kMostResponseBytes / ResponseBytes(model));
  const uint64_t layers = std::max<uint64_t>(1, model.architecture.layers);
  const auto at_once = static_cast<unsigned>(std::min({uint64_t{threads}, fitting, layers}));
  return {.layers = at_once, .within_layer = (threads + at_once - 1) / at_once};
}

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
                        const std::optional<ChosenAnchors>& given, Fingerprint& fingerprint) {
  TG_ASSIGN(auto chosen, given ? *given : ChooseAnchors(model, vocabulary_size));
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
  fingerprint.notes.insert(fingerprint.notes.end(), chosen.notes.begin(), chosen.notes.end());
  return {};
}

Result<FloatMatrix> Gram(const FloatMatrix& left, const FloatMatrix& right) {
  auto gram = RowProducts(left, right);
  if (!gram) return gram;
  DoubleCentre(*gram);
  if (CanBeStored(*gram)) return gram;
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the embeddings are too large to multiply",
               .found = "a Gram matrix that is not finite"};
}

Result<void> AddGrams(const AnchorRows& rows, Fingerprint& fingerprint) {
  TG_ASSIGN(auto inputs, Gram(rows.inputs, rows.inputs));
  TG_ASSIGN(auto outputs, Gram(rows.outputs, rows.outputs));
  fingerprint.input_gram = std::move(inputs);
  fingerprint.output_gram = std::move(outputs);
  fingerprint.cross_gram = FloatMatrix(rows.inputs.rows(), rows.outputs.rows());
  // Of unlike widths only where the head reads another space than the embedding writes.
  if (rows.inputs.columns() != rows.outputs.columns()) return {};
  TG_ASSIGN(auto cross, Gram(rows.inputs, rows.outputs));
  fingerprint.cross_gram = std::move(cross);
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

// Layers of which the plan has nothing are left out.
Result<void> AddKernels(const Network& network, const ReadingPlan& plan, unsigned threads,
                        Fingerprint& fingerprint) {
  TG_ASSIGN(const auto rows, ReadAnchorRows(network, fingerprint.anchor_tokens));
  auto grams = AddGrams(rows, fingerprint);
  if (!grams) return grams;
  std::vector<size_t> asked;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    if (plan.layers[i].Any()) asked.push_back(i);
  }
  fingerprint.layers.resize(asked.size());
  auto responded = ParallelFor(asked.size(), threads, [&](size_t i) -> Result<void> {
    TG_ASSIGN(auto response, RespondLayer(network, asked[i], rows, plan.layers[asked[i]]));
    fingerprint.layers[i] = std::move(response);
    return {};
  });
  if (!responded || fingerprint.quick) return responded;
  const auto notes = NotesOnLayers(fingerprint.layers);
  fingerprint.notes.insert(fingerprint.notes.end(), notes.begin(), notes.end());
  return {};
}

Result<void> AddTableSketches(const Network& network, const std::string& main_stack,
                              Fingerprint& fingerprint) {
  TG_ASSIGN(auto embedding,
            SketchTable(network, Role::kEmbedding, main_stack, fingerprint.anchor_tokens));
  fingerprint.embedding_sketch = std::move(embedding);
  if (fingerprint.tied_head) return {};
  TG_ASSIGN(auto head,
            SketchTable(network, Role::kOutputHead, main_stack, fingerprint.anchor_tokens));
  fingerprint.head_sketch = std::move(head);
  return {};
}

Result<ReadingPlan> PlanFor(const Network& network, const FullProfileOptions& options,
                            Fingerprint& fingerprint) {
  ReadingPlan all = PlanOfAll(network);
  if (!options.budget_bytes || all.bytes <= *options.budget_bytes) return all;
  auto plan = PlanWithin(network, fingerprint.anchor_tokens.size(), *options.budget_bytes);
  if (!plan) return plan;
  fingerprint.quick = {.budget_bytes = *options.budget_bytes,
                       .read_bytes = plan->bytes,
                       .tensor_bytes = all.bytes,
                       .model_layers = all.layers.size()};
  return plan;
}

// What is missing of the model, as far as it is known yet.
struct Missing {
  std::vector<MissingPart> parts;
  uint64_t absent_parameters = 0;  // of parts that have no tensors
  uint64_t zero_parameters = 0;    // of parts whose tensors are zeros
};

std::string NamesOf(const std::vector<MissingPart>& parts) {
  constexpr size_t kMostNamed = 6;
  std::string names;
  for (size_t i = 0; i < std::min(parts.size(), kMostNamed); ++i) {
    names += (i == 0 ? "" : "; ") + parts[i].what;
  }
  if (parts.size() > kMostNamed) names += fmt::format("; and {} more", parts.size() - kMostNamed);
  return names;
}

Result<void> RefuseMissing(const Missing& missing, const FullProfileOptions& options) {
  if (missing.parts.empty() || options.incomplete) return {};
  const MissingPart& first = missing.parts.front();
  return Error{.kind = ErrorKind::kBadFile,
               .problem = "the model is not whole: it lacks " + NamesOf(missing.parts),
               .found = first.found,
               .expected = first.expected,
               .advice = "get the whole model, or go on with what is there with --incomplete"};
}

Result<Missing> FindAbsent(const Model& model, const Network& network,
                           const FullProfileOptions& options) {
  Missing missing = {.parts = FindMissingParts(model.config, network)};
  for (MissingPart& part : FindMissingEmbedding(model, network)) {
    missing.parts.push_back(std::move(part));
  }
  for (MissingPart& part : FindPlaceholders(model)) missing.parts.push_back(std::move(part));
  for (const MissingPart& part : missing.parts) missing.absent_parameters += part.parameters;
  TG_TRY(RefuseMissing(missing, options));
  return missing;
}

// Adds what only the numbers show, and tells the fingerprint of all that is missing.
Result<void> TellMissing(Missing missing, const FullProfileOptions& options,
                         Fingerprint& fingerprint) {
  for (MissingPart& part : FindZeroParts(fingerprint.weights)) {
    missing.zero_parameters += part.parameters;
    missing.parts.push_back(std::move(part));
  }
  if (auto whole = RefuseMissing(missing, options); !whole) return whole;
  if (std::string note = NoteOnZeroMatrices(fingerprint.weights); !note.empty()) {
    fingerprint.notes.push_back(std::move(note));
  }
  if (missing.parts.empty()) return {};
  for (const MissingPart& part : missing.parts) fingerprint.missing.push_back(part.what);
  const auto there = static_cast<double>(fingerprint.parameters);
  const double whole = there + static_cast<double>(missing.absent_parameters);
  const double known = there - std::min(there, static_cast<double>(missing.zero_parameters));
  fingerprint.known_permille = static_cast<uint32_t>(1000 * known / std::max(1.0, whole));
  fingerprint.notes.push_back(
      fmt::format("not whole: it lacks {}; this speaks of about {} % of the model's parameters",
                  NamesOf(missing.parts), fingerprint.known_permille / 10));
  return {};
}

void CountKernels(Fingerprint& fingerprint) {
  if (!fingerprint.quick) return;
  for (const LayerResponse& layer : fingerprint.layers) {
    for (const FloatMatrix* kernel : {&layer.query_key, &layer.output_value, &layer.feed_forward}) {
      fingerprint.quick->kernels += kernel->values().empty() ? 0 : 1;
    }
  }
}

}  // namespace

Result<Fingerprint> ComputeFullFingerprint(const Model& model, const FullProfileOptions& options) {
  std::vector<std::string> notes_on_sums;
  if (!options.budget_bytes) {
    TG_ASSIGN(notes_on_sums, NotesOnArchiveSums(model, options.threads));
  }
  ReadProgress progress(options.on_progress, StoredBytes(*model.weights));
  WeightSummaries summaries(
      [&](std::string_view tensor, uint64_t bytes) { progress.Add(tensor, bytes); });
  Watchers watchers(summaries);
  const ThreadSplit threads = SplitThreads(model, options.threads);
  TG_ASSIGN(const auto network,
            Network::Build(model, {.threads = threads.within_layer, .observer = &watchers}));
  summaries.Expect(network->source(), network->weights());
  TG_TRY(RefuseCodes(*network));
  TG_ASSIGN(auto missing, FindAbsent(model, *network, options));
  const NetworkDescription& description = network->description();
  Fingerprint fingerprint = {.model_name = model.name,
                             .architecture = description.architecture,
                             .parameters = model.parameter_count(),
                             .vocabulary_size = description.vocabulary_size,
                             .hidden_size = description.hidden_size,
                             .tied_head = description.tied_head,
                             .has_head = description.has_head,
                             .notes = std::move(notes_on_sums)};
  TG_TRY(UseAnchors(model, description.vocabulary_size, options.anchors, fingerprint));
  fingerprint.notes.insert(fingerprint.notes.begin(), model.notes.begin(), model.notes.end());
  for (const std::string& assumed : description.assumed) {
    fingerprint.notes.push_back("not stated by the config: " + assumed);
  }
  TG_ASSIGN(const auto plan, PlanFor(*network, options, fingerprint));
  std::unique_ptr<FrameObserver> frame;
  if (!fingerprint.quick) {
    TG_ASSIGN(auto prepared, FrameObserver::Prepare(*network, {.threads = options.threads}));
    frame = std::move(prepared);
    watchers.Add(*frame);
  }
  // The kernels read the weights, the summaries and the frame see them pass and read what no kernel
  // asks for.
  if (!fingerprint.anchors.empty()) {
    TG_TRY(AddKernels(*network, plan, threads.layers, fingerprint));
    CountKernels(fingerprint);
    TG_TRY(AddTableSketches(*network, model.architecture.main_stack, fingerprint));
  }
  TG_TRY(summaries.ReadRest(options.threads, plan.weights));
  fingerprint.weights = summaries.Take();
  if (frame != nullptr) {
    TG_TRY(frame->ReadRest());
    StreamRows tokens;
    AnchorRows rows;
    if (!fingerprint.anchors.empty()) {
      TG_ASSIGN(rows, ReadAnchorRows(*network, fingerprint.anchor_tokens));
      tokens = {.inputs = &rows.inputs, .outputs = &rows.outputs};
    }
    TG_ASSIGN(auto forms, frame->Finish(tokens));
    fingerprint.frame = std::move(forms);
  }
  TG_TRY(TellMissing(std::move(missing), options, fingerprint));
  return AsStored(std::move(fingerprint));
}

}  // namespace tensorguard::internal
