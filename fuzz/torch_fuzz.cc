// Any bytes as a file of PyTorch: never a crash, and every element of what is accepted lies inside
// the file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/torch/torch.h"
#include "fuzz/table_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(input), size);
  const auto table = tensorguard::internal::ReadTorchTable(tensorguard::internal::SourceOf(bytes));
  if (table) {
    tensorguard::internal::CheckAccepted(*table, size);
  } else {
    tensorguard::internal::CheckRefused(table.error());
  }
  return 0;
}
