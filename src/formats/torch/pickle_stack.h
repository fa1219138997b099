// The stack, marks and memory of the machine that reads pickles, with their limits.
#ifndef TENSORGUARD_FORMATS_TORCH_PICKLE_STACK_H_
#define TENSORGUARD_FORMATS_TORCH_PICKLE_STACK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/torch/pickle.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// What Python's Lib/pickle.py does on its stack, on inert values. Errors know no byte.
class PickleStack {
 public:
  size_t height() const { return stack_.size(); }
  const PickleValue& operator[](PickleRef ref) const { return pickle_[ref]; }

  Result<void> Push(PickleRef ref);
  Result<void> PushNew(PickleValue value);
  Result<PickleRef> Pop();

  Result<void> Mark();
  bool MarkIsOnTop() const { return !marks_.empty() && marks_.back() == stack_.size(); }
  // What was pushed since the last mark, which goes too.
  Result<std::vector<PickleRef>> PopToMark();
  Result<void> PushTuple(size_t count);
  // To a dictionary as pairs, else to a list. An opaque value takes both.
  Result<void> AddItems(PickleRef to, const std::vector<PickleRef>& items, bool pairs);

  Result<void> Memorise(uint64_t key);
  Result<void> MemoriseNext() { return Memorise(memo_.size()); }
  Result<void> Recall(uint64_t key);

  // Pushes the name, if it is on the list of pickle_globals.h.
  Result<void> Global(const std::string& module, const std::string& name);
  enum class CallKind {
    kFunction,  // FUNCTION(*arguments)
    kNew,       // CLASS.__new__(CLASS, *arguments), which does not initialise
  };
  // Pushes what the call would give, as inert data.
  Result<void> Call(PickleRef callable, PickleRef arguments, CallKind kind);
  Result<void> SetState(PickleRef object, PickleRef state);

  // REQUIRES: nothing is used afterwards.
  Pickle TakePickle(PickleRef root);

 private:
  Result<void> CallMapping(PickleRef arguments, GlobalRole role);
  Result<void> CallSequence(PickleRef arguments);
  Result<void> CountItems(size_t more);
  Result<void> CountCopied(size_t more);

  Pickle pickle_;
  size_t items_ = 0;   // of all values
  size_t copied_ = 0;  // of them, those that a call took from another value
  std::optional<PickleRef> none_;
  std::optional<PickleRef> flags_[2];  // false, true
  std::vector<PickleRef> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::map<uint64_t, PickleRef> memo_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FORMATS_TORCH_PICKLE_STACK_H_
