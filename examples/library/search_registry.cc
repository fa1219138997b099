// Looks for a model in a registry: search_registry REGISTRY MODEL
// MODEL: a model, or its fingerprint. REGISTRY is made where there is none, and MODEL added to it.
#include <tensorguard/tensorguard.h>

#include <ctime>
#include <iostream>
#include <string>

namespace tg = tensorguard;

namespace {

int Fail(const tg::Error& error) {
  std::cerr << tg::DescribeError(error) << '\n';
  return 2;
}

tg::Result<tg::Registry> OpenOrCreate(const std::string& place) {
  auto opened = tg::Registry::Open(place);
  if (opened || opened.error().kind != tg::ErrorKind::kNotFound) return opened;
  return tg::Registry::Create(place, std::time(nullptr));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "search_registry REGISTRY MODEL\n";
    return 2;
  }
  auto registry = OpenOrCreate(argv[1]);
  if (!registry) return Fail(registry.error());
  const auto model = tg::FingerprintModel(argv[2]);
  if (!model) return Fail(model.error());

  const auto found = registry->Search(*model, 3);
  if (!found) return Fail(found.error());
  std::cout << "searched " << found->searched << " fingerprints\n";
  for (const tg::RegistryHit& hit : found->hits) {
    std::cout << "  " << hit.model.name << "  about " << hit.score << '\n';
  }
  if (!found->hits.empty()) {
    const auto answer = registry->Classify(*model);
    if (!answer) return Fail(answer.error());
    const tg::Candidate& best = answer->classification.candidates.front();
    std::cout << model->model_name() << ": "
              << (answer->classification.known ? tg::VerdictName(best.verdict) : "unknown")
              << ", nearest " << best.model_name << '\n';
  }

  const auto added = registry->Add(*model, {.added_at = std::time(nullptr)});
  if (!added) return Fail(added.error());
  std::cout << (added->already_there ? "there already: #" : "added as #") << added->model.id
            << '\n';
  return 0;
}
