// Any bytes as a pickle: never a crash, and the values refer to each other only.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/torch/pickle.h"
#include "formats/torch/torch_state.h"
#include "fuzz/table_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  using namespace tensorguard::internal;
  const ByteSource source = SourceOf(std::string_view(reinterpret_cast<const char*>(input), size));
  ByteCursor cursor(source, 0, kPickleLimitBytes);
  const auto pickle = ReadPickle(cursor);
  if (!pickle) {
    CheckRefused(pickle.error());
    return 0;
  }
  for (const PickleValue& value : pickle->values) {
    Require(value.kind != PickleKind::kDict || value.items.size() % 2 == 0);
    for (const PickleRef item : value.items) Require(item < pickle->values.size());
  }
  const auto state = FindTorchState(*pickle);
  if (!state) CheckRefused(state.error());
  return 0;
}
