#include "report/plain_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tensorguard::internal {
namespace {

// "12 of 100", "fewer than 1 of 100", "all".
std::string OfHundred(double share) {
  if (share <= 0) return "none";
  if (share < 0.01) return "fewer than 1 of 100";
  if (share > 1 - 1e-12) return "all";
  // Never rounded up to all, nor down to none.
  return fmt::format("{:.0f} of 100", std::min(99.0, std::max(1.0, std::round(100 * share))));
}

std::string FoundText(const std::string& model, const std::string& other,
                      const OriginCounts& counts) {
  const double same = counts.Share(Origin::kSame);
  const double changed = counts.Share(Origin::kChanged);
  const double rewritten = counts.Share(Origin::kRewritten);
  const double unread = counts.Share(Origin::kNotRead);
  const double open = counts.Share(Origin::kNotComparable);
  std::string text = fmt::format(
      "Of the numbers that make up {}, {} are found in {}: {} unchanged, {} changed", model,
      OfHundred(counts.TracedShare()), other, OfHundred(same), OfHundred(changed));
  if (rewritten > 0) text += fmt::format(", {} written in another way", OfHundred(rewritten));
  text += ".";
  if (open > 0) text += fmt::format(" {} could not be compared.", OfHundred(open));
  if (unread > 0) text += fmt::format(" {} were not read.", OfHundred(unread));
  return text;
}

std::string MeaningOf(const SummarisedPair& pair) {
  const std::string both = fmt::format("{} and {}", pair.first, pair.second);
  switch (pair.verdict) {
    case Verdict::kIdentical:
      return fmt::format(
          "{} hold the same numbers. One is a copy of the other, or both are copies of a third. "
          "Files may still differ in their form: another type of number, another order.",
          both);
    case Verdict::kDerived:
      if (pair.in_part) {
        return fmt::format(
            "Parts of {} have one origin. Such a likeness does not come about by chance. The other "
            "parts show no common origin.",
            both);
      }
      return fmt::format(
          "{} have one origin. One was made from the other, or both from a third model: by "
          "training on, by merging, by cutting or by rounding. Models that were trained apart, "
          "even "
          "by the same recipe on the same text, do not agree like this.",
          both);
    case Verdict::kReparameterised:
      return fmt::format(
          "{} have one origin, and the numbers of one were rewritten: they look different, but "
          "they compute what the other's compute. That does not happen in training. It is done by "
          "some tools, and by whoever wants to hide an origin.",
          both);
    case Verdict::kSharedInitialisation:
      return fmt::format(
          "{} began with the same random numbers and were then trained apart. Neither needs to be "
          "made from what the other learned.",
          both);
    case Verdict::kIndependent:
      return fmt::format(
          "Nothing that was compared shows that {} have one origin. This says nothing of the text "
          "that they learned from: a model that was trained on another one's answers is "
          "independent here.",
          both);
    case Verdict::kInconclusive:
      break;
  }
  return fmt::format(
      "What was compared of {} does not decide whether they have one origin. This is no hint in "
      "either direction.",
      both);
}

bool IsOfOneOrigin(Verdict verdict) {
  return verdict == Verdict::kIdentical || verdict == Verdict::kDerived ||
         verdict == Verdict::kReparameterised;
}

}  // namespace

std::vector<std::string> PlainSummary(const SummarisedPair& pair) {
  std::vector<std::string> paragraphs = {MeaningOf(pair)};
  if (IsOfOneOrigin(pair.verdict)) {
    paragraphs.push_back(FoundText(pair.first, pair.second, pair.origins.a.all) + " " +
                         FoundText(pair.second, pair.first, pair.origins.b.all));
    if (!pair.direction.empty()) paragraphs.push_back(pair.direction);
    paragraphs.emplace_back(
        "An origin is no judgement: whether it was allowed is a matter of licences, and whether it "
        "was named a matter of the models' cards. Neither was read here.");
  }
  paragraphs.emplace_back(
      pair.weights_tested
          ? "This rests on fingerprints of both models and on a test of all their numbers."
          : "This rests on fingerprints of both models, not on a test of all their numbers.");
  return paragraphs;
}

}  // namespace tensorguard::internal
