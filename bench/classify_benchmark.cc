// classify_benchmark: what classifying against very many known fingerprints costs, and whether
// planted relatives are found. Prints a row for each number of signatures in memory; --write FOLDER
// COUNT makes a folder of small fingerprint files instead, for timing the program itself.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "families/shortlist.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "generated_fingerprint.h"
#include "process_measures.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::Result;
using Clock = std::chrono::steady_clock;

// Of an independent model of 32 layers: uniform numbers, as count sketches of random kernels look.
ScreeningSignature RandomSignature(uint64_t seed) {
  constexpr size_t kLayers = 32;
  std::vector<int8_t> numbers(kLayers * kScreenedParts * kScreeningLength);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<int8_t>(static_cast<int64_t>(RandomBits(seed, i)) >> 57);
  }
  return ScreeningSignature(std::move(numbers));
}

constexpr uint64_t kUnknownSeed = 1;
// How much of another model's numbers is added to the unknown one's.
constexpr double kPlanted[] = {0.1, 0.5, 1.0, 2.0};

// Relatives lie evenly among the known ones; the rest is independent.
size_t PlaceOf(size_t planted, size_t count) { return (planted + 1) * count / 5; }

void MeasureInMemory(size_t count, unsigned threads) {
  const double before = ResidentMiB();
  std::vector<ScreeningSignature> known;
  known.reserve(count);
  for (size_t i = 0; i < count; ++i) known.push_back(RandomSignature(1000 + i));
  for (size_t i = 0; i < std::size(kPlanted); ++i) {
    known[PlaceOf(i, count)] = ScreeningOf(GenerateFingerprint(
        "planted", {}, {.seed = kUnknownSeed, .noise_seed = 100 + i, .noise = kPlanted[i]}));
  }
  const double memory = ResidentMiB() - before;
  const ScreeningSignature unknown =
      ScreeningOf(GenerateFingerprint("unknown", {}, {.seed = kUnknownSeed}));
  const auto begin = Clock::now();
  const std::vector<size_t> shortlist = ShortlistOf(unknown, known, threads);
  const double seconds = SecondsSince(begin);
  size_t found = 0;
  for (size_t i = 0; i < std::size(kPlanted); ++i) {
    found += std::ranges::count(shortlist, PlaceOf(i, count));
  }
  fmt::print("| {} | {:.3f} | {:.2f} | {:.0f} | {} | {} of {} |\n", count, seconds,
             1e6 * seconds / static_cast<double>(count), memory, shortlist.size(), found,
             std::size(kPlanted));
}

int WriteFiles(const std::filesystem::path& folder, size_t count, const GeneratedShape& shape,
               unsigned threads) {
  std::filesystem::create_directories(folder);
  const auto write = [&](const std::string& name, const GeneratedOrigin& origin) {
    return WriteFingerprint(GenerateFingerprint(name, shape, origin),
                            folder / (name + std::string(kFingerprintSuffix)));
  };
  const auto done = ParallelFor(count, threads, [&](size_t i) -> Result<void> {
    for (size_t planted = 0; planted < std::size(kPlanted); ++planted) {
      if (i != PlaceOf(planted, count)) continue;
      return write(fmt::format("planted{}", planted),
                   {.seed = kUnknownSeed, .noise_seed = 100 + planted, .noise = kPlanted[planted]});
    }
    return write(fmt::format("known{:06}", i), {.seed = 1000 + i});
  });
  const auto unknown = WriteFingerprint(
      GenerateFingerprint("unknown", shape, {.seed = kUnknownSeed}),
      folder.parent_path() / (std::string("unknown") + std::string(kFingerprintSuffix)));
  for (const auto& each : {done, unknown}) {
    if (each) continue;
    fmt::print(stderr, "{}\n", DescribeError(each.error()));
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<size_t> counts = {1000, 10'000, 100'000};
  std::string folder;
  unsigned threads = 1;
  GeneratedShape shape;
  CLI::App app("What classifying against very many known fingerprints costs.");
  app.add_option("--count", counts)->check(CLI::Range(5, 1'000'000));
  app.add_option("--threads", threads);
  app.add_option("--write", folder, "make so many files of this folder instead");
  app.add_option("--layers", shape.layers)->check(CLI::Range(1u, 1000u));
  app.add_option("--anchors", shape.anchors)
      ->check(CLI::Range(1u, static_cast<unsigned>(kMostAnchors)));
  CLI11_PARSE(app, argc, argv);
  if (!folder.empty()) return WriteFiles(folder, counts.front(), shape, threads);
  fmt::print(
      "| signatures | screening, s | each, us | memory, MiB | shortlist | relatives found |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (const size_t count : counts) MeasureInMemory(count, threads);
  return 0;
}
