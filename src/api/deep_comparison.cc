#include "api/deep_comparison.h"

#include "api/models.h"
#include "api/reading/sources.h"
#include "base/try.h"
#include "independence/stream/shared_tokens.h"

namespace tensorguard::internal {
namespace {

struct OpenedNetwork {
  Model model;
  std::shared_ptr<const Network> network;
};

Result<OpenedNetwork> OpenNetwork(const TestedModel& tested, const Session& session) {
  if (IsFingerprintFile(tested.path)) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a fingerprint holds no weights to test",
                 .file = tested.path,
                 .expected = "a model: a weight file or a folder",
                 .advice = "leave out --deep, or give the model itself"};
  }
  TG_ASSIGN(auto model, OpenWithBase(tested.path, tested.base, session));
  auto network = Network::Build(model);
  if (!network) return std::move(network).error().InFile(tested.path);
  return OpenedNetwork{std::move(model), *std::move(network)};
}

}  // namespace

Result<TestedPair> RunDeepTest(const TestedModel& first, const TestedModel& second,
                               const Comparison& comparison, unsigned threads,
                               const Session& session) {
  TG_ASSIGN(const auto a, OpenNetwork(first, session));
  TG_ASSIGN(const auto b, OpenNetwork(second, session));
  TG_ASSIGN(const auto tokens, FindSharedTokens(a.model, *a.network, b.model, *b.network));
  auto test = TestIndependence(
      *a.network, *b.network, tokens.pairs,
      {.threads = threads, .on_progress = session.listener.ShowProgress("testing the weights")});
  session.listener.EndProgress();
  if (!test) return std::move(test).error();
  if (!tokens.note.empty()) test->limits.push_back(tokens.note);
  TG_ASSIGN(auto gathered,
            GatherDeepEvidence({*a.network, first.fingerprint}, {*b.network, second.fingerprint},
                               comparison, *test, threads));
  return TestedPair{*std::move(test), std::move(gathered)};
}

}  // namespace tensorguard::internal
