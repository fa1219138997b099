#include "paper/paper_profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/read_progress.h"
#include "base/text.h"
#include "base/try.h"
#include "paper/inputs/perturbed_inputs.h"
#include "paper/inputs/random_numbers.h"
#include "paper/responses/gradient_moments.h"
#include "paper/responses/tensor_response.h"
#include "paper/tensor_selection.h"

namespace tensorguard::internal {
namespace {

constexpr uint32_t kSelectionSeed = 0;
constexpr int kDrawsPerTensor = 15;

// How often each noise was drawn for one tensor.
using NoiseCounts = std::array<int, kNoiseCount>;

// One tensor to look at, with its fifteen draws.
struct Probe {
  size_t tensor_index;
  NoiseCounts draws;

  bool draws_adversarial() const { return draws[size_t(Noise::kAdversarial)] > 0; }
};

// The published code draws tensors and then, tensor by tensor, noise types from one stream.
std::vector<Probe> PlanProbes(std::span<const TensorInfo> tensors, std::span<const size_t> read) {
  NumpyRandom random(kSelectionSeed);
  std::vector<Probe> probes;
  for (const size_t tensor_index : SelectTensors(tensors, read, random)) {
    NoiseCounts draws = {};
    for (int i = 0; i < kDrawsPerTensor; ++i) ++draws[random.Choice(kNoiseCount)];
    probes.push_back({tensor_index, draws});
  }
  return probes;
}

// Every chosen tensor once, and for every width with an adversarial draw the tensor whose loss it
// follows.
uint64_t BytesToRead(std::span<const TensorInfo> tensors, std::span<const Probe> probes,
                     std::span<const size_t> matrices) {
  uint64_t bytes = 0;
  std::set<uint64_t> adversarial_widths;
  for (const Probe& probe : probes) {
    const TensorInfo& tensor = tensors[probe.tensor_index];
    bytes += tensor.stored_bytes;
    if (probe.draws_adversarial()) adversarial_widths.insert(tensor.shape[1]);
  }
  return bytes + AdversarialBytes(tensors, matrices, adversarial_widths);
}

bool IsZero(const TensorResponse& response) {
  return std::all_of(response.begin(), response.end(),
                     [](const InputResponse& each) { return each.norm == 0; });
}

// Average of the gradient's moments over the fifteen draws.
Result<GradientMoments> AverageMoments(const TensorInfo& tensor, const NoiseCounts& draws,
                                       const TensorResponse& response,
                                       std::span<const std::vector<float>> inputs) {
  GradientMoments average;
  for (size_t k = 0; k < kNoiseCount; ++k) {
    if (draws[k] == 0) continue;
    const GradientMoments moments = MomentsOfGradient(response[k], inputs[k]);
    if (!std::isfinite(moments.skewness) || !std::isfinite(moments.kurtosis)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "too few weights for a distribution of gradients",
                   .file = tensor.file,
                   .tensor = tensor.name};
    }
    const double share = static_cast<double>(draws[k]) / kDrawsPerTensor;
    average.mean += share * moments.mean;
    average.std += share * moments.std;
    average.norm += share * moments.norm;
    average.skewness += share * moments.skewness;
    average.kurtosis += share * moments.kurtosis;
  }
  return average;
}

// The published code's kinds, by the first match in the tensor's name; empty for other tensors.
std::string_view FeatureKind(std::string_view tensor_name) {
  const std::string name = LowerAscii(tensor_name);
  const auto holds = [&](std::string_view part) { return name.find(part) != name.npos; };
  if (holds("attention") || holds("attn")) return "attention";
  if (holds("ffn") || holds("mlp")) return "ffn";
  if (holds("embed")) return "embedding";
  if (holds("norm")) return "norm";
  return "";
}

struct TensorFeatures {
  std::string_view name;
  GradientMoments moments;
};

// The mean of one moment over the tensors of `kind`, or over all for "global". Absent where the
// model has none of that kind.
void SetMean(PaperFeatures& features, std::span<const TensorFeatures> tensors,
             std::string_view kind, std::string_view moment_name, double GradientMoments::*moment) {
  double sum = 0;
  int count = 0;
  for (const TensorFeatures& tensor : tensors) {
    if (kind != "global" && FeatureKind(tensor.name) != kind) continue;
    sum += tensor.moments.*moment;
    ++count;
  }
  if (count == 0) return;
  features.values[std::string(kind) + "_" + std::string(moment_name)] = sum / count;
}

PaperFeatures Aggregate(std::span<const TensorFeatures> tensors, std::string model_name) {
  PaperFeatures features;
  features.model_name = std::move(model_name);
  for (const std::string_view kind : {"global", "attention", "ffn", "embedding", "norm"}) {
    SetMean(features, tensors, kind, "mean", &GradientMoments::mean);
    SetMean(features, tensors, kind, "std", &GradientMoments::std);
    SetMean(features, tensors, kind, "norm", &GradientMoments::norm);
  }
  SetMean(features, tensors, "global", "skewness", &GradientMoments::skewness);
  SetMean(features, tensors, "global", "kurtosis", &GradientMoments::kurtosis);
  features.values["num_layers"] = static_cast<double>(tensors.size());
  for (const TensorFeatures& tensor : tensors) {
    features.selected_tensors.emplace_back(tensor.name);
  }
  return features;
}

}  // namespace

Result<PaperProfile> ComputePaperProfile(const WeightSource& weights, std::string model_name,
                                         const PaperProfileOptions& options) {
  const std::vector<TensorInfo>& tensors = weights.tensors();
  const std::vector<size_t> read = TensorsRead(tensors);
  const std::vector<Probe> probes = PlanProbes(tensors, read);
  if (probes.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "model has no matrix to take a fingerprint of",
                 .file = tensors.empty() ? "" : tensors.front().file};
  }

  const std::vector<size_t> matrices = MatricesAmong(tensors, read);
  ReadProgress progress(options.on_progress, BytesToRead(tensors, probes, matrices));
  const BytesReadCallback on_read = [&](uint64_t bytes) { progress.Add(bytes); };
  PerturbedInputs inputs(weights, matrices, options.threads, on_read);

  PaperProfile profile;
  std::vector<TensorFeatures> features;
  for (const Probe& probe : probes) {
    const TensorInfo& tensor = tensors[probe.tensor_index];
    progress.Start(tensor.name);
    TG_ASSIGN(auto tensor_inputs, inputs.ForWidth(tensor.shape[1], probe.draws_adversarial()));
    TG_ASSIGN(auto response, MeasureResponse(weights, probe.tensor_index,
                                             InputBlock(tensor.shape[1], tensor_inputs),
                                             options.threads, on_read));
    if (IsZero(response)) {
      profile.zero_tensors.push_back(tensor.name);
      continue;
    }
    TG_ASSIGN(auto moments, AverageMoments(tensor, probe.draws, response, tensor_inputs));
    features.push_back({tensor.name, moments});
  }

  if (features.empty()) {
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "all weights are zero, so there is no gradient",
                 .file = tensors[probes.front().tensor_index].file,
                 .tensor = tensors[probes.front().tensor_index].name};
  }
  profile.features = Aggregate(features, std::move(model_name));
  for (const size_t i : read) profile.features.total_params += tensors[i].element_count;
  profile.bytes_read = progress.bytes_done();
  return profile;
}

}  // namespace tensorguard::internal
