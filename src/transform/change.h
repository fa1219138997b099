// The changes that a model can be put through: the registry of our own attacks.
#ifndef TENSORGUARD_TRANSFORM_CHANGE_H_
#define TENSORGUARD_TRANSFORM_CHANGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"
#include "transform/decoder.h"

namespace tensorguard::internal {

// What a change works with.
struct ChangeInput {
  Decoder& model;
  double strength = 1;
  uint64_t seed = 0;
  const Decoder* other = nullptr;  // a second model; null: none was given
};

enum class Keeps {
  kFunction,  // the logits stay the same, but for rounding
  kNearly,    // they move by what a user may not notice
  kLittle,    // they do not: a copy that works needs healing
};

enum class SecondModel { kNone, kUsedIfGiven, kNeeded };

struct Change {
  std::string_view name;
  std::string_view text;                // one line
  std::string_view strength = {};       // what the number says; empty: there is none
  std::vector<double> strengths = {1};  // that stress tries; the first is the default
  double least = 0;                     // of the strength
  double most = 0;
  Keeps keeps = Keeps::kFunction;
  SecondModel second = SecondModel::kNone;
  std::string_view source = {};  // where it is described
  // Errors: kUnsupported where the change does not fit the model; kMismatch where the two models
  // do not fit. The model is then in no defined state.
  Result<void> (*apply)(const ChangeInput& input) = nullptr;
};

// All changes, those that keep the function first.
const std::vector<Change>& AllChanges();

// Errors: kUsage, naming the nearest known one, for a name that is none.
Result<const Change*> FindChange(std::string_view name);

// "kept", "nearly kept", "damaged".
std::string_view KeepsName(Keeps keeps);

struct ChosenChange {
  const Change* change = nullptr;  // never null
  double strength = 1;
};

// "rotate,noise:0.01": names with their strengths, in the order in which they are applied. Errors:
// kUsage for a name that is none, a strength that is no number or out of range, and none at all.
Result<std::vector<ChosenChange>> ParseChanges(std::string_view text);

// Applies one. Errors: kUsage where a second model is needed and not given; those of the change.
Result<void> ApplyChange(const ChosenChange& chosen, uint64_t seed, const Decoder* other,
                         Decoder& model);

// The groups, each in a file of its own.
std::vector<Change> BasisChanges();
std::vector<Change> InertParts();
std::vector<Change> LayerChanges();
std::vector<Change> NameChanges();
std::vector<Change> TokenChanges();
std::vector<Change> WeightDamage();
std::vector<Change> ForeignParts();

// The error of a change that does not fit the model.
Error DoesNotFit(std::string found, std::string expected, std::string advice = {});

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TRANSFORM_CHANGE_H_
