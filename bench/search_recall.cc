// search_recall FOLDER: whether a search over very many models finds relatives, and takes no
// stranger for one. FOLDER holds fingerprints and a truth.json about them. Strangers are made of
// the fingerprints of other families than the one that is asked about: layers of several models
// mixed, with noise; so they share recipes and tokenizers as real ones do.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "evaluation/truth.h"
#include "families/full_classification.h"
#include "families/shortlist.h"
#include "fingerprint/file/fingerprint_file.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "search/searcher.h"
#include "search/vector_table.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::Error;
using tensorguard::Result;
using tensorguard::Verdict;

struct Model {
  TruthModel truth;
  Fingerprint fingerprint;
  ScreeningSignature signature;
};

Result<std::vector<Model>> ReadModels(const std::filesystem::path& folder) {
  TG_ASSIGN(const auto truth, ReadTruth(folder / "truth.json"));
  std::vector<Model> models;
  for (const TruthModel& each : truth) {
    const auto path = folder / (each.name + std::string(kFingerprintSuffix));
    if (!std::filesystem::exists(path)) continue;
    TG_ASSIGN(auto print, ReadFingerprint(path));
    ScreeningSignature signature = ScreeningOf(print);
    models.push_back({each, std::move(print), std::move(signature)});
  }
  return models;
}

// Random numbers that hang on two keys and a count alone.
class Draws {
 public:
  explicit Draws(uint64_t key) : key_(key) {}

  uint64_t Below(uint64_t count) { return RandomBits(key_, next_++) % count; }
  double Uniform() { return static_cast<double>(RandomBits(key_, next_++) >> 11) * 0x1p-53; }
  // Nearly normal: the sum of four.
  double Normal() {
    const double sum = Uniform() + Uniform() + Uniform() + Uniform();
    return (sum - 2) * std::sqrt(3.0);
  }

 private:
  uint64_t key_;
  uint64_t next_ = 0;
};

// Models that are no relatives of a family: of other families, and students of its members.
std::vector<const Model*> StrangersTo(const std::vector<Model>& models, const std::string& root) {
  std::vector<const Model*> strangers;
  for (const Model& each : models) {
    if (each.truth.root != root || each.truth.relation == Relation::kIndependent) {
      strangers.push_back(&each);
    }
  }
  return strangers;
}

bool IsRelative(const Model& model, const std::string& root) {
  return model.truth.root == root && model.truth.relation != Relation::kIndependent;
}

ScreeningSignature MadeStranger(const std::vector<const Model*>& pool, uint64_t seed) {
  Draws draws(seed);
  const ScreeningSignature& shape = pool[draws.Below(pool.size())]->signature;
  const double noise = 1.2 * draws.Uniform();
  const double second = draws.Uniform() < 0.5 ? draws.Uniform() : 0;
  std::vector<int8_t> numbers(shape.layers() * kSearchNumbers);
  for (size_t layer = 0; layer < shape.layers(); ++layer) {
    std::array<const ScreeningSignature*, 2> of = {&pool[draws.Below(pool.size())]->signature,
                                                   &pool[draws.Below(pool.size())]->signature};
    for (size_t part = 0; part < kScreenedParts; ++part) {
      std::array<double, kScreeningLength> sums = {};
      for (size_t i = 0; i < of.size(); ++i) {
        if (of[i]->layers() == 0) continue;
        const size_t at = layer * of[i]->layers() / shape.layers();
        const double scale = of[i]->InverseNorms(at)[part] * (i == 0 ? 1 : second);
        for (size_t k = 0; k < kScreeningLength; ++k) {
          sums[k] += scale * of[i]->Layer(at)[part * kScreeningLength + k];
        }
      }
      double largest = 0;
      for (double& sum : sums) {
        sum += noise * draws.Normal() / 8;
        largest = std::max(largest, std::abs(sum));
      }
      if (largest == 0) continue;
      for (size_t k = 0; k < kScreeningLength; ++k) {
        numbers[layer * kSearchNumbers + part * kScreeningLength + k] =
            static_cast<int8_t>(std::lrint(sums[k] / largest * 127));
      }
    }
  }
  return ScreeningSignature(std::move(numbers));
}

// Strangers have rows from here on; models of the folder those before.
constexpr int64_t kFirstMade = 1'000'000;

VectorTable TableOf(const std::vector<Model>& models, const std::vector<const Model*>& pool,
                    size_t count, const std::string& root) {
  std::vector<SearchVector> made(count);
  constexpr size_t kBatch = 1000;
  (void)ParallelFor((count + kBatch - 1) / kBatch, 0, [&](size_t batch) -> Result<void> {
    for (size_t i = batch * kBatch; i < std::min(count, (batch + 1) * kBatch); ++i) {
      made[i] = SearchVectorOf(MadeStranger(pool, i));
    }
    return {};
  });
  VectorTable table;
  table.Reserve(count + models.size());
  for (size_t i = 0; i < models.size(); ++i) {
    if (IsRelative(models[i], root)) {
      table.Add(static_cast<int64_t>(i + 1), SearchVectorOf(models[i].signature));
    }
  }
  for (size_t i = 0; i < count; ++i) table.Add(kFirstMade + static_cast<int64_t>(i), made[i]);
  return table;
}

// The relative with the highest full score, if a comparison says that it is one.
Result<std::optional<size_t>> NearestRelative(const std::vector<Model>& models, size_t query) {
  std::optional<size_t> nearest;
  double best = -1;
  for (size_t i = 0; i < models.size(); ++i) {
    if (i == query || !IsRelative(models[i], models[query].truth.root)) continue;
    TG_ASSIGN(const auto comparison,
              CompareFingerprints(models[query].fingerprint, models[i].fingerprint));
    if (!IsDerivation(comparison.verdict) && comparison.verdict != tensorguard::Verdict::kIdentical)
      continue;
    if (comparison.score.value_or(0) <= best) continue;
    best = comparison.score.value_or(0);
    nearest = i;
  }
  return nearest;
}

struct Places {
  size_t by_vector = 0;     // strangers before it; kVectorCandidates and more: lost
  size_t by_signature = 0;  // likewise, of those that were kept
  bool in_candidates = false;
  bool in_shortlist = false;
};

// Of a model among strangers, each model that is asked for alone: its sisters would shield it.
Places PlaceOf(const std::vector<Model>& models, const std::vector<const Model*>& pool,
               const VectorTable& table, size_t query, size_t wanted) {
  Places places;
  const auto row = static_cast<int64_t>(wanted + 1);
  const auto near =
      table.Nearest(SearchVectorOf(models[query].signature), kVectorCandidates + models.size());
  const double own = ScreeningScore(models[query].signature, models[wanted].signature);
  std::vector<double> strangers;
  for (const NearVector& each : near) {
    if (each.fingerprint == row) places.in_candidates = strangers.size() < kVectorCandidates;
    if (each.fingerprint == row) places.by_vector = strangers.size();
    if (each.fingerprint < kFirstMade) continue;
    if (strangers.size() == kVectorCandidates) break;
    strangers.push_back(
        ScreeningScore(models[query].signature,
                       MadeStranger(pool, static_cast<uint64_t>(each.fingerprint - kFirstMade))));
  }
  if (!places.in_candidates) places.by_vector = strangers.size();
  places.by_signature =
      static_cast<size_t>(std::ranges::count_if(strangers, [&](double s) { return s > own; }));
  places.in_shortlist = places.in_candidates && places.by_signature < kShortlist;
  return places;
}

struct KindRow {
  size_t asked = 0;
  size_t candidates = 0;
  size_t shortlist = 0;
  size_t worst_vector = 0;
  size_t worst_signature = 0;
};

Result<void> MeasureRecall(const std::vector<Model>& models, size_t count) {
  std::map<std::string, KindRow> rows;
  std::set<std::string> roots;
  for (const Model& each : models) roots.insert(each.truth.root);
  for (const std::string& root : roots) {
    const auto pool = StrangersTo(models, root);
    const VectorTable table = TableOf(models, pool, count, root);
    for (size_t query = 0; query < models.size(); ++query) {
      const TruthModel& truth = models[query].truth;
      if (truth.root != root || truth.relation != Relation::kDerived) continue;
      TG_ASSIGN(const auto nearest, NearestRelative(models, query));
      if (!nearest) continue;
      const Places places = PlaceOf(models, pool, table, query, *nearest);
      for (const std::string& kind : {truth.kind, std::string("all")}) {
        KindRow& row = rows[kind];
        ++row.asked;
        row.candidates += places.in_candidates ? 1 : 0;
        row.shortlist += places.in_shortlist ? 1 : 0;
        row.worst_vector = std::max(row.worst_vector, places.by_vector);
        row.worst_signature = std::max(row.worst_signature, places.by_signature);
      }
    }
  }
  fmt::print("{} strangers; the nearest relative alone among them\n\n", count);
  fmt::print(
      "| kind | models | among {} | in the shortlist | strangers before it: by vector | by "
      "signature |\n| --- | ---: | ---: | ---: | ---: | ---: |\n",
      kVectorCandidates);
  for (const auto& [kind, row] : rows) {
    fmt::print("| {} | {} | {} | {} | {} | {} |\n", kind, row.asked, row.candidates, row.shortlist,
               row.worst_vector, row.worst_signature);
  }
  return {};
}

void Spoil(FloatMatrix& matrix, double noise, Draws& draws) {
  double squares = 0;
  for (const float value : matrix.values()) squares += double{value} * value;
  const auto size = static_cast<double>(std::max<size_t>(1, matrix.values().size()));
  const double scale = noise * std::sqrt(squares / size);
  for (float& value : matrix.values()) value += static_cast<float>(scale * draws.Normal());
}

// A model of no known family: one of the folder, its layers in another order, all numbers with
// noise, no digest that anybody else has.
Fingerprint MadeModel(const Model& of, uint64_t seed) {
  Draws draws(seed);
  Fingerprint print = of.fingerprint;
  const double noise = draws.Uniform();
  for (LayerResponse& layer : print.layers) {
    for (FloatMatrix* kernel : {&layer.query_key, &layer.output_value, &layer.feed_forward}) {
      Spoil(*kernel, noise, draws);
    }
  }
  for (size_t i = print.layers.size(); i > 1; --i) {
    LayerResponse& a = print.layers[i - 1];
    LayerResponse& b = print.layers[draws.Below(i)];
    if (a.stack != b.stack) continue;
    std::swap(a.query_key, b.query_key);
    std::swap(a.output_value, b.output_value);
    std::swap(a.feed_forward, b.feed_forward);
  }
  for (WeightSummary& weight : print.weights) {
    Spoil(weight.sketch, noise, draws);
    for (uint8_t& byte : weight.digest) byte = static_cast<uint8_t>(draws.Below(256));
    weight.digest_as_bfloat16.reset();
    weight.digest_as_float16.reset();
  }
  for (LayerForms& layer : print.frame.layers) {
    for (FloatMatrix& form : layer.forms) Spoil(form, noise, draws);
  }
  return print;
}

// Models of one family asked for among all others: what is found there is found by chance.
Result<void> MeasureStrangers(const std::vector<Model>& models, size_t queries, size_t compared) {
  std::mutex mutex;
  size_t known = 0;
  size_t comparisons = 0;
  double least = 1;
  std::map<int, size_t> below;             // by power of ten: p-values of single comparisons
  std::map<std::string, size_t> unlikely;  // pairs of models whose copies have less than 1e-6
  auto done = ParallelFor(queries, 0, [&](size_t query) -> Result<void> {
    const Model& of = models[query % models.size()];
    const Fingerprint made = MadeModel(of, 77 + query);
    const ScreeningSignature signature = ScreeningOf(made);
    std::vector<std::pair<double, const Model*>> near;
    for (const Model& each : models) {
      if (each.truth.root == of.truth.root) continue;
      near.emplace_back(-ScreeningScore(signature, each.signature), &each);
    }
    std::ranges::sort(near);
    near.resize(std::min(near.size(), compared));
    std::vector<Fingerprint> others;
    for (const auto& [score, model] : near) others.push_back(model->fingerprint);
    TG_ASSIGN(const auto result,
              ClassifyFingerprint(made, others, {.threads = 1, .known_models = others.size()}));
    const std::lock_guard lock(mutex);
    known += result.known ? 1 : 0;
    for (const KnownCandidate& each : result.candidates) {
      if (!each.comparison.p_value) continue;
      ++comparisons;
      least = std::min(least, *each.comparison.p_value);
      if (*each.comparison.p_value < 1e-6) {
        ++unlikely[of.truth.name + " and " + others[each.known].model_name];
      }
      for (int power = 1; power <= 6; ++power) {
        if (*each.comparison.p_value <= std::pow(10, -power)) ++below[power];
      }
    }
    return {};
  });
  if (!done) return done;
  fmt::print(
      "{} queries of strangers, the {} nearest of other families compared with each: {} "
      "called known\n\n",
      queries, compared, known);
  fmt::print("| p at most | of {} comparisons | share |\n| ---: | ---: | ---: |\n", comparisons);
  for (int power = 1; power <= 6; ++power) {
    fmt::print("| 1e-{} | {} | {:.2g} |\n", power, below[power],
               static_cast<double>(below[power]) / static_cast<double>(comparisons));
  }
  fmt::print("\nleast p: {:.2g}\n", least);
  for (const auto& [pair, count] : unlikely)
    fmt::print("p below 1e-6: {}, {} times\n", pair, count);
  return {};
}

// Of pairs of one family: whether they stay known among so many.
Result<void> MeasureKnown(const std::vector<Model>& models) {
  constexpr std::array<double, 4> kCandidates = {1e2, 1e4, 1e6, 2e6};
  std::array<size_t, kCandidates.size()> known = {};
  size_t pairs = 0;
  for (size_t query = 0; query < models.size(); ++query) {
    if (models[query].truth.relation != Relation::kDerived) continue;
    TG_ASSIGN(const auto nearest, NearestRelative(models, query));
    if (!nearest) continue;
    ++pairs;
    TG_ASSIGN(const auto result,
              CompareFingerprints(models[query].fingerprint, models[*nearest].fingerprint));
    for (size_t i = 0; i < kCandidates.size(); ++i) {
      const double corrected =
          -std::expm1(kCandidates[i] * std::log1p(-std::min(result.p_value.value_or(1), 1.0)));
      known[i] += corrected <= 0.01 ? 1 : 0;
    }
    if (-std::expm1(2e6 * std::log1p(-result.p_value.value_or(1))) > 0.01) {
      fmt::print("not known among two million: {} and {}, score {:.3f}, p {:.2g}\n",
                 models[query].truth.name, models[*nearest].truth.name, result.score.value_or(0),
                 result.p_value.value_or(1));
    }
  }
  fmt::print("\n| independent candidates | of {} derived models known |\n| ---: | ---: |\n", pairs);
  for (size_t i = 0; i < kCandidates.size(); ++i) {
    fmt::print("| {:.0f} | {} |\n", kCandidates[i], known[i]);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::string folder;
  std::vector<size_t> counts = {100'000};
  size_t queries = 10'000;
  size_t compared = 8;
  CLI::App app("Whether a search over very many models finds relatives, and no strangers.");
  app.add_option("FOLDER", folder, "fingerprints, and truth.json about them")->required();
  app.add_option("--count", counts, "so many strangers each")->check(CLI::Range(0, 5'000'000));
  app.add_option("--queries", queries, "of strangers; 0: none")->check(CLI::Range(0, 1'000'000));
  app.add_option("--compared", compared, "with each")->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);
  const auto measure = [&]() -> Result<void> {
    TG_ASSIGN(const auto models, ReadModels(folder));
    if (models.empty()) {
      return Error{.kind = tensorguard::ErrorKind::kNotFound,
                   .problem = "no fingerprint that truth.json names",
                   .file = folder};
    }
    TG_TRY(MeasureKnown(models));
    std::fflush(stdout);
    for (const size_t count : counts) {
      if (count > 0) TG_TRY(MeasureRecall(models, count));
      std::fflush(stdout);
    }
    if (queries > 0) TG_TRY(MeasureStrangers(models, queries, compared));
    return {};
  };
  const auto done = measure();
  if (done) return 0;
  fmt::print(stderr, "{}\n", DescribeError(done.error()));
  return 1;
}
