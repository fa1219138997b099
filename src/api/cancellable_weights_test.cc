// Work ends with one error as soon as nobody wants its result.
#include "api/cancellable_weights.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "api/classification.h"
#include "api/family_groups.h"
#include "api/fingerprinting/fingerprint_files.h"
#include "api/fingerprints.h"
#include "api/pair_comparison.h"
#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {
namespace {

const std::string kModel = "examples/models/alder";

// Cancels once a stretch of work has done a part of what it has to do.
class ImpatientListener : public Listener {
 public:
  explicit ImpatientListener(double patience) : patience_(patience) {}

  ProgressCallback ShowProgress(std::string_view) override {
    if (patience_ == 0) cancelled_ = true;
    return [this](const Progress& progress) {
      const auto done = static_cast<double>(progress.bytes_done);
      const auto total = static_cast<double>(progress.bytes_total);
      if (done < total) seen_part_ = true;
      if (done >= patience_ * total) cancelled_ = true;
    };
  }
  void EndProgress() override {}
  void Note(std::string_view) override {}
  void ReportError(const Error&) override { ++errors_; }
  bool Cancelled() const override { return cancelled_; }

  bool seen_part() const { return seen_part_; }
  int errors() const { return errors_; }

 private:
  double patience_;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> seen_part_ = false;
  std::atomic<int> errors_ = 0;
};

Session SessionOf(Listener& listener) {
  return {.listener = listener, .places = [] { return Places::Create({}); }};
}

TEST(Cancelling, EndsAFingerprintInTheMiddle) {
  ImpatientListener listener(0.3);
  const auto print = FingerprintOf(kModel, {.threads = 2}, SessionOf(listener));
  ASSERT_FALSE(print);
  EXPECT_EQ(print.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(print.error().problem, "cancelled");
  EXPECT_TRUE(listener.seen_part());
}

TEST(Cancelling, IsNoMatterWhereNobodyCancels) {
  ImpatientListener listener(2);
  EXPECT_TRUE(FingerprintOf(kModel, {.threads = 2}, SessionOf(listener)));
  EXPECT_TRUE(listener.seen_part());
}

TEST(Cancelling, EndsAComparison) {
  ImpatientListener listener(0.3);
  const auto pair = ComparePair({.first = kModel, .second = kModel}, SessionOf(listener));
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error().kind, ErrorKind::kCancelled);
}

// The known model is what is being read: no answer from those that were read before.
TEST(Cancelling, IsNoShortfallOfTheModelsNotReadYet) {
  ImpatientListener listener(0.3);
  const auto groups =
      FindFamilyGroups({.models = {kModel, "examples/models/birch"}}, SessionOf(listener));
  ASSERT_FALSE(groups);
  EXPECT_EQ(groups.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(listener.errors(), 0);
}

TEST(Cancelling, EndsTheFingerprintsOfManyModels) {
  const ScratchFolder folder;
  for (const unsigned jobs : {1u, 2u}) {
    ImpatientListener listener(0.3);
    int taken = 0;
    const auto worked = FingerprintModels(
        {.models = {kModel, "examples/models/birch", "examples/models/cedar"},
         .output = folder.path().string(),
         .threads = 2,
         .jobs = jobs},
        [&](const Result<FingerprintedModel>& result) -> Result<void> {
          if (result) ++taken;
          return {};
        },
        SessionOf(listener));
    ASSERT_FALSE(worked) << jobs;
    EXPECT_EQ(worked.error().kind, ErrorKind::kCancelled) << jobs;
    EXPECT_LT(taken, 3) << jobs;
  }
}

}  // namespace
}  // namespace tensorguard::internal
