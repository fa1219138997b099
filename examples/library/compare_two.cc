// Says what of one model is another's: compare_two MODEL MODEL
#include <tensorguard/tensorguard.h>

#include <iostream>

namespace tg = tensorguard;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "compare_two MODEL MODEL\n";
    return 2;
  }
  const auto comparison = tg::CompareModels(argv[1], argv[2]);
  if (!comparison) {
    std::cerr << tg::DescribeError(comparison.error()) << '\n';
    return 2;
  }
  std::cout << comparison->model_a << " and " << comparison->model_b << ": "
            << tg::VerdictName(comparison->verdict) << '\n'
            << comparison->reason << '\n';
  for (const tg::Finding& finding : comparison->findings) std::cout << finding.text << '\n';
  return 0;
}
