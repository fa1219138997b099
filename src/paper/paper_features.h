// The paper profile's result, and its file NAME_features.json.
#ifndef TENSORGUARD_PAPER_PAPER_FEATURES_H_
#define TENSORGUARD_PAPER_PAPER_FEATURES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"

namespace tensorguard::internal {

// Feature vector of one model (Wu, Zhao, Wang, arXiv 2506.01631). A feature that the model lacks
// (no tensor of that kind) is absent from `values`, never 0.
struct PaperFeatures {
  std::string model_name;
  std::map<std::string, double, std::less<>> values = {};  // "global_mean", ..., "num_layers"
  uint64_t total_params = 0;                       // of the tensors read, layers above 15 left out
  std::vector<std::string> selected_tensors = {};  // empty in published files
};

// Names of all features that enter the classification, in the order of the published files:
// {global_{mean,std,norm,skewness,kurtosis}, {attention,ffn,embedding,norm}_{mean,std,norm},
// num_layers}. total_params does not take part (method of the reference code).
std::span<const std::string_view> PaperFeatureNames();

// Reads a features file written by us or by the reference code. Errors: kBadFile with the key whose
// value is missing or not a finite number; kNotFound.
Result<PaperFeatures> ReadPaperFeatures(const std::filesystem::path& path);

// The text of NAME_features.json: the reference's keys in the reference's order, and
// "selected_layers" last. Numbers survive a round trip exactly.
std::string PaperFeaturesToJson(const PaperFeatures& features);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PAPER_PAPER_FEATURES_H_
