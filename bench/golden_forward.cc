// Runs models on the tokens that their own library ran them on, and says how far the logits lie
// apart: a line for each folder, with its name, the architecture as read and the largest difference
// relative to the largest logit, or the error.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/text.h"
#include "base/try.h"
#include "model/model.h"
#include "network/forward.h"
#include "network/network.h"
#include "tests/support/golden_outputs.h"

namespace tensorguard::internal {
namespace {

struct Outcome {
  std::string architecture = "-";  // as read
  Result<double> difference = 0.0;
};

Result<double> Compare(const Network& network, const std::filesystem::path& golden_file) {
  TG_ASSIGN(const auto golden, ReadGolden(golden_file));
  for (const auto& ids : {golden.input_ids, golden.decoder_ids}) {
    const bool known = std::ranges::all_of(
        ids, [&](uint32_t id) { return id < network.description().vocabulary_size; });
    if (known) continue;
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = "a token of the sequence has no row in the embedding",
                 .file = golden_file.string()};
  }
  TG_ASSIGN(const auto result, RunForward(network, golden.input_ids, golden.decoder_ids));
  return Difference(result.logits.values(), golden.logits);
}

Outcome Run(const std::filesystem::path& folder) {
  Outcome outcome;
  const auto model = OpenModel(folder);
  if (!model) {
    outcome.difference = model.error();
    return outcome;
  }
  outcome.architecture = model->architecture.name;
  const auto network = Network::Build(*model);
  if (!network) {
    outcome.difference = network.error();
    return outcome;
  }
  const bool assumed = (*network)->description().architecture == "generic";
  if (assumed) outcome.architecture += " (assumed: that of Llama)";
  outcome.difference = Compare(**network, folder / "golden.safetensors");
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
  if (argc < 2) {
    fmt::print(stderr, "usage: golden_forward FOLDER...\n");
    return 2;
  }
  bool all_ran = true;
  for (int i = 1; i < argc; ++i) {
    const Outcome outcome = Run(argv[i]);
    all_ran &= static_cast<bool>(outcome.difference);
    fmt::print("{}\t{}\t{}\n", EscapeControl(NameOf(argv[i])), EscapeControl(outcome.architecture),
               outcome.difference ? fmt::format("{:.1e}", *outcome.difference)
                                  : OneLine(DescribeError(outcome.difference.error())));
    std::fflush(stdout);
  }
  return all_ran ? 0 : 2;
}
