// Runs models on the tokens that their own library ran them on, and says how far the logits lie
// apart: a line for each folder, with its name, the architecture as read and the largest difference
// relative to the largest logit, or the error.
//   golden_forward [--states] FOLDER...
// With --states a further line for each hidden state, which shows the layer that a difference comes
// from.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/text.h"
#include "model/model.h"
#include "network/network.h"
#include "tests/support/golden_outputs.h"

namespace tensorguard::internal {
namespace {

struct Outcome {
  std::string architecture = "-";  // as read
  Result<GoldenDifferences> differences = GoldenDifferences();
};

Outcome Run(const std::filesystem::path& folder) {
  Outcome outcome;
  const auto model = OpenModel(folder);
  if (!model) {
    outcome.differences = model.error();
    return outcome;
  }
  outcome.architecture = model->architecture.name;
  const auto network = Network::Build(*model);
  if (!network) {
    outcome.differences = network.error();
    return outcome;
  }
  const auto& assumed = (*network)->description().assumed;
  if (!assumed.empty()) {
    outcome.architecture += fmt::format(" (assumed: {})", fmt::join(assumed, "; "));
  }
  const auto golden = ReadGolden(folder / "golden.safetensors");
  outcome.differences = golden ? CompareWithGolden(**network, model->config, *golden)
                               : Result<GoldenDifferences>(golden.error());
  return outcome;
}

// On one line, like the rest of the table.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return EscapeControl(text);
}

std::string NameOf(const std::filesystem::path& folder) {
  const auto name = folder.filename();
  return (name.empty() ? folder.parent_path().filename() : name).string();
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  using namespace tensorguard::internal;
  const bool with_states = argc > 1 && std::string_view(argv[1]) == "--states";
  const int first = with_states ? 2 : 1;
  if (argc <= first) {
    fmt::print(stderr, "usage: golden_forward [--states] FOLDER...\n");
    return 2;
  }
  bool all_ran = true;
  for (int i = first; i < argc; ++i) {
    const Outcome outcome = Run(argv[i]);
    const auto& differences = outcome.differences;
    all_ran &= static_cast<bool>(differences);
    fmt::print("{}\t{}\t{}\n", EscapeControl(NameOf(argv[i])), EscapeControl(outcome.architecture),
               differences ? fmt::format("{:.1e}", differences->logits)
                           : OneLine(DescribeError(differences.error())));
    if (with_states && differences) {
      for (size_t state = 0; state < differences->states.size(); ++state) {
        fmt::print("  hidden.{}\t{:.1e}\n", state, differences->states[state]);
      }
    }
    std::fflush(stdout);
  }
  return all_ran ? 0 : 2;
}
