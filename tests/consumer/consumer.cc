// Fingerprints two models, compares them, and says what was found: consumer MODEL MODEL
#include <tensorguard/tensorguard.h>

#include <iostream>

namespace tg = tensorguard;

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  tg::FingerprintOptions options;
  options.callbacks.on_progress = [](const tg::Progress& progress) {
    if (progress.bytes_done == progress.bytes_total) std::cerr << "read " << progress.what << '\n';
  };
  const auto first = tg::FingerprintModel(argv[1], options);
  const auto second = tg::FingerprintModel(argv[2], options);
  for (const auto* model : {&first, &second}) {
    if (*model) continue;
    std::cerr << tg::DescribeError(model->error()) << '\n';
    return 2;
  }
  const auto comparison = tg::Compare(*first, *second);
  if (!comparison) {
    std::cerr << tg::DescribeError(comparison.error()) << '\n';
    return 2;
  }
  std::cout << tg::LibraryVersion() << ": " << comparison->model_a << " and "
            << comparison->model_b << " are " << tg::VerdictName(comparison->verdict) << '\n';
  return 0;
}
