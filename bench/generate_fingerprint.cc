// Writes a fingerprint file of random numbers, for measuring: generate_fingerprint [options] FILE.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <string>

#include "fingerprint/file/fingerprint_file.h"
#include "generated_fingerprint.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::Error;

struct Arguments {
  GeneratedShape shape;
  GeneratedOrigin origin = {.seed = 1, .noise_seed = 2};
  std::string file;
};

void AddArguments(Arguments& arguments, CLI::App& app) {
  app.add_option("--layers", arguments.shape.layers)->check(CLI::Range(1u, 1000u));
  app.add_option("--anchors", arguments.shape.anchors)
      ->check(CLI::Range(1u, static_cast<unsigned>(kMostAnchors)));
  app.add_option("--hidden", arguments.shape.hidden_size)->check(CLI::PositiveNumber);
  app.add_option("--ffn", arguments.shape.feed_forward_size)->check(CLI::PositiveNumber);
  app.add_option("--vocabulary", arguments.shape.vocabulary_size)->check(CLI::Range(128, 1 << 30));
  app.add_option("--seed", arguments.origin.seed, "the model whose numbers these are");
  app.add_option("--noise", arguments.origin.noise,
                 "how much of another seed's numbers is added: a derived model");
  app.add_option("--noise-seed", arguments.origin.noise_seed);
  app.add_option("FILE", arguments.file)->required();
}

int Fail(const Error& error) {
  fmt::print(stderr, "{}\n", DescribeError(error));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Writes a fingerprint of random numbers in the shapes of a Llama.");
  AddArguments(arguments, app);
  CLI11_PARSE(app, argc, argv);
  const std::filesystem::path path(arguments.file);
  const Fingerprint print =
      GenerateFingerprint(path.stem().stem().string(), arguments.shape, arguments.origin);
  if (const auto written = WriteFingerprint(print, path); !written) return Fail(written.error());
  const auto back = ReadFingerprint(path);
  if (!back) return Fail(back.error());
  fmt::print("{}: {} layers, {} anchors, {} weights, {} bytes\n", arguments.file,
             back->layers.size(), back->anchors.size(), back->weights.size(),
             std::filesystem::file_size(path));
  return 0;
}
