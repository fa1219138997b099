#include "cli/deep_comparison.h"

#include "cli/models.h"
#include "cli/sources.h"
#include "deep_test/shared_tokens.h"
#include "tokenizers/vocabulary.h"

namespace tensorguard::cli {
namespace {

struct OpenedNetwork {
  Model model;
  std::shared_ptr<const Network> network;
};

Result<OpenedNetwork> OpenNetwork(const TestedModel& tested) {
  if (IsFingerprintFile(tested.path)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a fingerprint holds no weights to test",
                 .file = tested.path,
                 .expected = "a model: a weight file or a folder",
                 .advice = "leave out --deep, or give the model itself"};
  }
  auto model = OpenWithBase(tested.path, tested.base);
  if (!model) return std::move(model).error();
  auto network = Network::Build(*model);
  if (!network) return std::move(network).error().InFile(tested.path);
  return OpenedNetwork{*std::move(model), *std::move(network)};
}

// By their texts; by their ids where one has no tokenizer and both have one vocabulary size.
std::vector<TokenPair> CommonTokens(const OpenedNetwork& a, const OpenedNetwork& b) {
  const uint64_t size_a = a.network->description().vocabulary_size;
  const uint64_t size_b = b.network->description().vocabulary_size;
  const auto vocabulary_a = ReadVocabulary(a.model.tokenizer_folder);
  const auto vocabulary_b = ReadVocabulary(b.model.tokenizer_folder);
  if (vocabulary_a && vocabulary_b) {
    return TokensWithEqualText(*vocabulary_a, size_a, *vocabulary_b, size_b);
  }
  return TokensWithEqualId(size_a, size_b);
}

}  // namespace

Result<DeepTest> RunDeepTest(const TestedModel& first, const TestedModel& second, unsigned threads,
                             Console& console) {
  const auto a = OpenNetwork(first);
  if (!a) return a.error();
  const auto b = OpenNetwork(second);
  if (!b) return b.error();
  auto test = TestIndependence(
      *a->network, *b->network, CommonTokens(*a, *b),
      {.threads = threads, .on_progress = console.ShowProgress("testing the weights")});
  console.EndProgress();
  return test;
}

}  // namespace tensorguard::cli
