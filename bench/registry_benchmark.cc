// registry_benchmark FOLDER: what a registry costs as it grows. Makes a registry in FOLDER of
// random strangers and some planted relatives of one model, and prints a row for each size; then
// what adding costs beside readers, and the comparison of two stored fingerprints.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "families/full_classification.h"
#include "families/shortlist.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "generated_fingerprint.h"
#include "process_measures.h"
#include "registry/models.h"
#include "search/searcher.h"
#include "search/shared_parts.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::Error;
using tensorguard::Result;
using Clock = std::chrono::steady_clock;

double Quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(share * static_cast<double>(values.size())))];
}

const Stamp kNow = {.at = 1'800'000'000, .who = "bench"};
constexpr uint64_t kUnknownSeed = 1;
constexpr size_t kRelatives = 4;
constexpr size_t kOthers = 4;  // strangers with a file; all other strangers have rows alone
constexpr size_t kPlanted = kRelatives + kOthers;
constexpr size_t kMatrices = 224;  // of a model of 32 layers

// Rows of strangers: all that a search looks at, no file behind them.
Result<void> AddStrangers(Registry& registry, int64_t from, int64_t to, size_t layers) {
  Database& database = registry.database();
  constexpr int64_t kAtOnce = 2000;
  std::vector<int8_t> numbers(layers * kSearchNumbers);
  for (int64_t begin = from; begin < to; begin += kAtOnce) {
    TG_TRY(database.InTransaction([&]() -> Result<void> {
      for (int64_t i = begin; i < std::min(begin + kAtOnce, to); ++i) {
        const auto seed = static_cast<uint64_t>(i) + 1000;
        for (size_t at = 0; at < numbers.size(); at += 8) {
          const uint64_t bits = RandomBits(seed, at);
          std::memcpy(&numbers[at], &bits, 8);
        }
        std::ranges::replace(numbers, int8_t{-128}, int8_t{-127});
        const SearchVector vector = SearchVectorOf(ScreeningSignature(numbers));
        std::array<uint64_t, 4> digest = {seed, 0, 0, 0};
        const int64_t id = i + 1000;
        TG_TRY(
            database.Run("INSERT INTO fingerprint (id, digest, profile, version, bytes, "
                         "architecture, parameters, layers) VALUES ($1, $2, 'full', $3, 0, '', "
                         "0, $4)",
                         {id, std::as_bytes(std::span(digest)), int64_t{kFingerprintVersion},
                          static_cast<int64_t>(layers)}));
        TG_TRY(database.Run("INSERT INTO signature (fingerprint, content) VALUES ($1, $2)",
                            {id, std::as_bytes(std::span(numbers))}));
        TG_TRY(database.Run(
            "INSERT INTO search_vector (fingerprint, version, content) VALUES ($1, $2, $3)",
            {id, int64_t{kSearchVectorVersion}, std::as_bytes(std::span(vector.numbers))}));
        TG_TRY(
            database.Run("INSERT INTO model (name, source, revision, sub_path, publisher, kind, "
                         "fingerprint, collection, trust, state, added_at, added_by) VALUES "
                         "($1, $1, '', '', '', 'model', $2, '', 'own', 'present', 0, '')",
                         {fmt::format("stranger{}", i), id}));
      }
      return {};
    }));
  }
  return {};
}

Result<void> AddDigests(Registry& registry, int64_t from, int64_t to) {
  constexpr int64_t kAtOnce = 500;
  for (int64_t begin = from; begin < to; begin += kAtOnce) {
    TG_TRY(registry.database().InTransaction([&]() -> Result<void> {
      for (int64_t i = begin; i < std::min(begin + kAtOnce, to); ++i) {
        PreparedFingerprint print;
        for (size_t weight = 0; weight < kMatrices; ++weight) {
          print.weights.push_back(
              {static_cast<int64_t>(RandomBits(static_cast<uint64_t>(i), weight)),
               static_cast<int64_t>(weight)});
        }
        std::ranges::sort(print.weights);
        for (const DigestEntry& each : print.weights) {
          TG_TRY(registry.database().Run(
              "INSERT INTO weight_digest (fingerprint, digest, weight) VALUES ($1, $2, $3)",
              {i + 1000, each.digest, each.weight}));
        }
      }
      return {};
    }));
  }
  return {};
}

Result<void> AddPlanted(Registry& registry) {
  for (size_t i = 0; i < kPlanted; ++i) {
    const bool relative = i < kRelatives;
    const double noise = relative ? 0.2 + 0.3 * static_cast<double>(i) : 0;
    TG_ASSIGN(
        auto bytes,
        EncodeFingerprint(GenerateFingerprint(
            fmt::format("planted{}", i), {},
            {.seed = relative ? kUnknownSeed : 500 + i, .noise_seed = 100 + i, .noise = noise})));
    TG_ASSIGN(const auto print, PrepareFingerprint(std::move(bytes), "planted"));
    TG_TRY(AddModel(registry, print, {}, kNow));
  }
  return {};
}

struct Classified {
  bool known = false;
  size_t compared = 0;
};

Result<Classified> ClassifyWhole(Registry& registry, Searcher& searcher, const Fingerprint& unknown,
                                 unsigned threads) {
  TG_ASSIGN(const auto near, searcher.Near(ScreeningOf(unknown), threads));
  std::vector<Fingerprint> known;
  for (size_t i = 0; i < std::min(near.size(), kShortlist); ++i) {
    TG_ASSIGN(const auto models, ModelsOfFingerprint(registry, near[i].fingerprint));
    if (models.front().architecture.empty()) {  // has no file: another stranger's is read for it
      TG_ASSIGN(const auto other,
                FindModel(registry, fmt::format("planted{}", kRelatives + i % kOthers)));
      TG_ASSIGN(auto print, FingerprintOfModel(registry, other));
      known.push_back(std::move(print));
      continue;
    }
    TG_ASSIGN(auto print, FingerprintOfModel(registry, models.front()));
    known.push_back(std::move(print));
  }
  TG_ASSIGN(
      const auto result,
      ClassifyFingerprint(unknown, known, {.threads = threads, .known_models = searcher.size()}));
  return Classified{.known = result.known, .compared = known.size()};
}

Result<void> MeasureSize(const std::string& place, const Fingerprint& unknown, unsigned threads) {
  constexpr int kQueries = 40;
  const double before = ResidentMiB();
  auto begin = Clock::now();
  TG_ASSIGN(const auto registry, Registry::Open(place));
  TG_ASSIGN(auto searcher, Searcher::Load(*registry));
  const double open = SecondsSince(begin);
  const double memory = ResidentMiB() - before;
  const ScreeningSignature query = ScreeningOf(unknown);
  std::vector<double> near;
  for (int i = 0; i < kQueries; ++i) {
    begin = Clock::now();
    TG_TRY(searcher.Near(query, threads));
    near.push_back(1000 * SecondsSince(begin));
  }
  std::vector<double> digests;
  for (int i = 0; i < kQueries; ++i) {
    begin = Clock::now();
    TG_TRY(FindPartHits(*registry, unknown));
    digests.push_back(1000 * SecondsSince(begin));
  }
  begin = Clock::now();
  TG_ASSIGN(const auto classified, ClassifyWhole(*registry, searcher, unknown, threads));
  const double whole = SecondsSince(begin);
  fmt::print("| {} | {:.2f} | {:.0f} | {:.1f} | {:.1f} | {:.1f} | {:.2f} | {} | {} |\n",
             searcher.size(), open, memory, Quantile(near, 0.5), Quantile(near, 0.95),
             Quantile(digests, 0.95), whole, classified.compared, classified.known ? "yes" : "no");
  return {};
}

// One writer, and readers that list and look up meanwhile.
Result<void> MeasureAdding(const std::string& place, size_t readers, size_t adds) {
  std::vector<std::vector<std::byte>> files;
  for (size_t i = 0; i < adds; ++i) {
    TG_ASSIGN(auto bytes, EncodeFingerprint(GenerateFingerprint(fmt::format("new{}", i),
                                                                {.layers = 12, .anchors = 64},
                                                                {.seed = 1'000'000 + i})));
    files.push_back(std::move(bytes));
  }
  std::atomic<bool> stop = false;
  std::vector<double> longest(readers);
  std::vector<size_t> reads(readers);
  std::vector<std::thread> threads;
  for (size_t reader = 0; reader < readers; ++reader) {
    threads.emplace_back([&, reader] {
      const auto registry = Registry::Open(place);
      while (registry && !stop) {
        const auto begin = Clock::now();
        const auto models = ListModels(**registry, {.limit = 20});
        if (!models) break;
        longest[reader] = std::max(longest[reader], SecondsSince(begin));
        ++reads[reader];
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  TG_ASSIGN(const auto registry, Registry::Open(place));
  double prepare = 0;
  const auto begin = Clock::now();
  constexpr size_t kTogether = 16;  // as the program adds them
  for (size_t first = 0; first < files.size(); first += kTogether) {
    const auto start = Clock::now();
    std::vector<PreparedFingerprint> prints;
    for (size_t i = first; i < std::min(first + kTogether, files.size()); ++i) {
      TG_ASSIGN(auto print, PrepareFingerprint(std::move(files[i]), "new"));
      prints.push_back(std::move(print));
    }
    prepare += SecondsSince(start);
    std::vector<ModelToAdd> models;
    for (const PreparedFingerprint& each : prints) models.push_back({.fingerprint = &each});
    TG_TRY(AddModels(*registry, models, kNow));
  }
  const double seconds = SecondsSince(begin);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  size_t total = 0;
  for (const size_t each : reads) total += each;
  fmt::print(
      "adding beside {} readers: {:.0f} a second, of which checking takes {:.0f}%; {} reads, "
      "the longest {:.1f} ms\n",
      readers, static_cast<double>(adds) / seconds, 100 * prepare / seconds, total,
      1000 * *std::ranges::max_element(longest));
  return {};
}

Result<void> MeasureComparison(Registry& registry, const Fingerprint& unknown) {
  TG_ASSIGN(const auto model, FindModel(registry, "planted0"));
  std::vector<double> reading;
  std::vector<double> comparing;
  std::vector<double> working;
  for (int i = 0; i < 15; ++i) {
    auto begin = Clock::now();
    TG_ASSIGN(const auto print, FingerprintOfModel(registry, model));
    reading.push_back(1000 * SecondsSince(begin));
    begin = Clock::now();
    const double before = ProcessorSeconds();
    TG_TRY(CompareFingerprints(unknown, print));
    working.push_back(1000 * (ProcessorSeconds() - before));
    comparing.push_back(1000 * SecondsSince(begin));
  }
  fmt::print(
      "a stored fingerprint of 7B: read and checked in {:.1f} ms, compared in {:.1f} ms, {:.1f} ms "
      "of a processor's time (medians of 15)\n",
      Quantile(reading, 0.5), Quantile(comparing, 0.5), Quantile(working, 0.5));
  return {};
}

Result<void> Measure(const std::string& place, const std::vector<int64_t>& counts, size_t layers,
                     int64_t with_digests, unsigned threads, size_t adds) {
  const Fingerprint unknown = GenerateFingerprint("unknown", {}, {.seed = kUnknownSeed});
  {
    TG_ASSIGN(const auto registry, Registry::Create(place, {}, kNow));
    TG_TRY(AddPlanted(*registry));
  }
  fmt::print(
      "| fingerprints | open, s | memory grown, MiB | candidates, ms: median | 95% | digests, ms: "
      "95% | classify, s | compared | known |\n"
      "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n");
  int64_t made = 0;
  int64_t digests = 0;
  for (const int64_t count : counts) {
    {
      TG_ASSIGN(const auto registry, Registry::Open(place));
      TG_TRY(AddStrangers(*registry, made, count - static_cast<int64_t>(kPlanted), layers));
      TG_TRY(AddDigests(*registry, digests, std::min(count, with_digests)));
      digests = std::min(count, with_digests);
    }
    made = count - static_cast<int64_t>(kPlanted);
    TG_TRY(MeasureSize(place, unknown, threads));
    std::fflush(stdout);
  }
  TG_ASSIGN(const auto registry, Registry::Open(place));
  TG_TRY(MeasureComparison(*registry, unknown));
  return MeasureAdding(place, 8, adds);
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  std::vector<int64_t> counts = {1000, 10'000, 100'000, 1'000'000};
  size_t layers = 8;
  int64_t with_digests = 10'000;
  unsigned threads = 0;
  size_t adds = 200;
  CLI::App app("What a registry costs as it grows.");
  app.add_option("FOLDER", folder, "for the registry, which is made anew")->required();
  app.add_option("--count", counts, "sizes, ascending")->check(CLI::Range(100, 5'000'000));
  app.add_option("--layers", layers, "of the strangers' signatures")->check(CLI::Range(1, 100));
  app.add_option("--digests", with_digests, "so many strangers have digests of 224 matrices, too");
  app.add_option("--threads", threads, "0: one per processor");
  app.add_option("--adds", adds)->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);
  std::filesystem::create_directories(folder);
  const std::string place = (std::filesystem::path(folder) / "bench.tgr").string();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(place + end);
  const auto done = Measure(place, counts, layers, with_digests, threads, adds);
  if (done) return 0;
  fmt::print(stderr, "{}\n", DescribeError(done.error()));
  return 1;
}
