// Looks for a model among known ones: find_in_family MODEL KNOWN...
// KNOWN: fingerprints, folders of fingerprints, models.
#include <tensorguard/tensorguard.h>

#include <iostream>
#include <string>
#include <vector>

namespace tg = tensorguard;

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "find_in_family MODEL KNOWN...\n";
    return 2;
  }
  const std::vector<std::string> known(argv + 2, argv + argc);
  tg::ClassifyOptions options;
  options.callbacks.on_note = [](std::string_view note) { std::cerr << note << '\n'; };
  const auto answer = tg::ClassifyModel(argv[1], known, options);
  if (!answer) {
    std::cerr << tg::DescribeError(answer.error()) << '\n';
    return 2;
  }
  if (!answer->known) {
    std::cout << answer->model << ": unknown\n";
    return 0;
  }
  const tg::Candidate& best = answer->candidates.front();
  std::cout << answer->model << ": " << tg::VerdictName(best.verdict) << " with " << best.model_name
            << '\n';
  for (const std::string& parent : answer->lineage) std::cout << "comes from " << parent << '\n';
  return 0;
}
