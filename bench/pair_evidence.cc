// pair_evidence: what verdicts rest on, for every two models of a folder (fingerprint files, and
// folders with a config.json): a JSON object a line. docs/calibration.md has figures from it.
#include "comparison/pair_evidence.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/parallel.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/stored_fingerprint.h"
#include "model/model.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kEnding = ".fingerprint.safetensors";

struct Known {
  std::string name;
  Fingerprint fingerprint;
};

Result<Fingerprint> FingerprintOf(const std::filesystem::path& path) {
  if (path.string().ends_with(kEnding)) return ReadFingerprint(path);
  const auto model = OpenModel(path);
  if (!model) return model.error();
  auto fingerprint = ComputeFullFingerprint(*model);
  if (!fingerprint) return fingerprint;
  return AsStored(*std::move(fingerprint));
}

Result<std::vector<Known>> ReadAll(const std::filesystem::path& folder, const std::string& prefix) {
  std::vector<Known> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    const bool stored = name.ends_with(kEnding);
    const bool model = std::filesystem::exists(entry.path() / "config.json");
    if (!name.starts_with(prefix) || !(stored || model)) continue;
    auto fingerprint = FingerprintOf(entry.path());
    if (!fingerprint) return std::move(fingerprint).error();
    if (stored) name.resize(name.size() - kEnding.size());
    all.push_back({std::move(name), *std::move(fingerprint)});
  }
  std::ranges::sort(all, {}, &Known::name);
  return all;
}

OrderedJson OrNull(const std::optional<double>& number) {
  return number ? OrderedJson(*number) : OrderedJson();
}

Result<std::string> LineOf(const Known& a, const Known& b) {
  const auto found = CompareFingerprints(a.fingerprint, b.fingerprint);
  if (!found) return found.error();
  const Evidence evidence = GatherEvidence(a.fingerprint, b.fingerprint, *found,
                                           {.equal = found->verdict == Verdict::kIdentical});
  OrderedJson json = {{"a", a.name},
                      {"b", b.name},
                      {"verdict", VerdictName(found->verdict)},
                      {"in_part", found->in_part},
                      {"score", OrNull(found->score)},
                      {"p_value", OrNull(found->p_value)},
                      {"kernels", OrNull(evidence.kernel_score)},
                      {"kernel_z", evidence.kernel_z},
                      {"best_layer", evidence.best_layer},
                      {"anchors", OrNull(found->kernels ? found->kernels->anchor_agreement
                                                        : std::optional<double>())},
                      {"sketches", OrNull(evidence.sketch_cosine)},
                      {"sketch_p", evidence.sketch_p_value},
                      {"common_share", evidence.common_share},
                      {"common_cosine", evidence.common_cosine},
                      {"outstanding", evidence.outstanding_share},
                      {"forms", OrNull(evidence.frame_score)},
                      {"forms_p", evidence.frame_p_value},
                      {"weaker_half", evidence.weaker_half},
                      {"units", OrNull(evidence.unit_score)},
                      {"unit_best", evidence.unit_best},
                      {"unit_excess", evidence.unit_excess},
                      {"traced", evidence.traced_share},
                      {"whole", evidence.whole_share},
                      {"written", OrNull(evidence.written_share)}};
  if (found->frame && found->frame->units) {
    double attention = 0;
    for (const FrameMatch& match : found->frame->units->attention) {
      attention = std::max(attention, match.cosine);
    }
    json["unit_attention"] = attention;
    json["unit_layers"] = OrderedJson::array();
    for (const FrameMatch& match : found->frame->units->of_a) {
      json["unit_layers"].push_back(std::round(100 * match.cosine) / 100);
    }
  }
  return json.dump();
}

int Fail(const Error& error) {
  fmt::print(stderr, "pair_evidence: {}\n", DescribeError(error));
  return 2;
}

int Run(const std::filesystem::path& folder, const std::string& prefix, const std::string& only) {
  const auto known = ReadAll(folder, prefix);
  if (!known) return Fail(known.error());
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t j = 0; j < known->size(); ++j) {
    for (size_t i = 0; i < j; ++i) {
      const bool asked = (*known)[i].name == only || (*known)[j].name == only;
      if (only.empty() || asked) pairs.emplace_back(i, j);
    }
  }
  std::vector<std::string> lines(pairs.size());
  auto done = ParallelFor(pairs.size(), 1, [&](size_t i) -> Result<void> {
    auto line = LineOf((*known)[pairs[i].first], (*known)[pairs[i].second]);
    if (!line) return std::move(line).error();
    lines[i] = *std::move(line);
    return {};
  });
  if (!done) return Fail(done.error());
  for (const std::string& line : lines) fmt::print("{}\n", line);
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  CLI::App app("What the verdicts of all pairs of a folder's fingerprints rest on.");
  std::filesystem::path folder;
  std::string prefix;
  std::string only;
  app.add_option("folder", folder, "holds models, or NAME.fingerprint.safetensors")->required();
  app.add_option("--prefix", prefix, "models whose names begin so");
  app.add_option("--with", only, "pairs of this name alone");
  CLI11_PARSE(app, argc, argv);
  return tensorguard::internal::Run(folder, prefix, only);
}
