// Runs models on the tokens that their own library ran them on, and says how far the logits lie
// apart: a line for each folder, with its name, the architecture as read and the largest difference
// relative to the largest logit, or the error.
//   golden_forward [--states] FOLDER...
// With --states a further line for each hidden state, which shows the layer that a difference comes
// from.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "architecture/config_view.h"
#include "base/text.h"
#include "base/try.h"
#include "model/model.h"
#include "network/forward.h"
#include "network/network.h"
#include "network/network_parts.h"
#include "tests/support/golden_outputs.h"

namespace tensorguard::internal {
namespace {

struct Differences {
  double logits = 0;
  std::vector<double> states;  // of the hidden states, as many as both report
};

struct Outcome {
  std::string architecture = "-";  // as read
  Result<Differences> differences = Differences();
};

Result<Differences> Compare(const Network& network, const Json& config,
                            const std::filesystem::path& golden_file) {
  TG_ASSIGN(auto golden, ReadGolden(golden_file));
  const bool has_encoder = network.parts().stacks.size() > 1;
  if (has_encoder && golden.decoder_ids.empty()) {
    golden.decoder_ids = ShiftedInputs(config, golden.input_ids);
  }
  for (const auto& ids : {golden.input_ids, golden.decoder_ids}) {
    const bool known = std::ranges::all_of(
        ids, [&](uint32_t id) { return id < network.description().vocabulary_size; });
    if (known) continue;
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "a token of the sequence has no row in the embedding",
                 .file = golden_file.string()};
  }
  TG_ASSIGN(const auto result, RunForward(network, golden.input_ids, golden.decoder_ids));
  Differences differences{.logits = Difference(result.logits.values(), golden.logits)};
  for (size_t i = 0; i < std::min(result.hidden.size(), golden.hidden.size()); ++i) {
    differences.states.push_back(Difference(result.hidden[i].values(), golden.hidden[i]));
  }
  return differences;
}

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
  const bool assumed = (*network)->description().architecture == "generic";
  if (assumed) outcome.architecture += " (assumed: that of Llama)";
  outcome.differences = Compare(**network, model->config, folder / "golden.safetensors");
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
