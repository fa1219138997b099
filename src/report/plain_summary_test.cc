#include "report/plain_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string SummaryOf(Verdict verdict, const PairOrigins& origins, bool in_part = false,
                      const std::string& direction = "") {
  std::string text;
  for (const std::string& paragraph : PlainSummary({.first = "oak",
                                      .second = "ash",
                                      .verdict = verdict,
                                      .in_part = in_part,
                                      .origins = origins,
                                      .direction = direction})) {
    text += paragraph + "\n";
  }
  return text;
}

TEST(PlainSummary, CountsWhatWasFound) {
  PairOrigins origins;
  origins.a.all.Add(Origin::kSame, 19.6);
  origins.a.all.Add(Origin::kChanged, 80.4);
  origins.b.all.Add(Origin::kChanged, 999);
  origins.b.all.Add(Origin::kNothing, 1);
  const std::string text = SummaryOf(Verdict::kDerived, origins);
  EXPECT_THAT(text, HasSubstr("Of the numbers that make up oak, all are found in ash: 20 of 100 "
                              "unchanged, 80 of 100 changed."));
  // Never rounded up to all.
  EXPECT_THAT(text, HasSubstr("that make up ash, 99 of 100 are found in oak: none unchanged"));
  EXPECT_THAT(text, Not(HasSubstr("could not be compared")));
}

TEST(PlainSummary, TellsWhatWasNotLookedAt) {
  PairOrigins origins;
  origins.a.all.Add(Origin::kChanged, 50);
  origins.a.all.Add(Origin::kNotRead, 49.6);
  origins.a.all.Add(Origin::kNotComparable, 0.4);
  origins.b.all = origins.a.all;
  const std::string text = SummaryOf(Verdict::kDerived, origins);
  EXPECT_THAT(text, HasSubstr("fewer than 1 of 100 could not be compared."));
  EXPECT_THAT(text, HasSubstr("50 of 100 were not read."));
  EXPECT_THAT(text, HasSubstr("not on a test of all their numbers"));
}

TEST(PlainSummary, SaysNoMoreThanTheVerdict) {
  PairOrigins origins;
  origins.a.all.Add(Origin::kNothing, 1);
  origins.b.all.Add(Origin::kNothing, 1);
  const std::string apart = SummaryOf(Verdict::kIndependent, origins);
  EXPECT_THAT(apart, HasSubstr("Nothing that was compared shows that oak and ash have one origin"));
  EXPECT_THAT(apart, Not(HasSubstr("of 100")));
  EXPECT_THAT(SummaryOf(Verdict::kInconclusive, origins), HasSubstr("no hint in either direction"));
  EXPECT_THAT(SummaryOf(Verdict::kDerived, origins, /*in_part=*/true),
              HasSubstr("Parts of oak and ash have one origin"));
  const std::string later = "ash was made from oak.";
  EXPECT_THAT(SummaryOf(Verdict::kDerived, origins, false, later), HasSubstr(later));
  EXPECT_THAT(SummaryOf(Verdict::kIndependent, origins, false, later), Not(HasSubstr(later)));
}

}  // namespace
}  // namespace tensorguard::internal
