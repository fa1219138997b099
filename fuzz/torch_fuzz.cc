// Any bytes as a file of PyTorch: never a crash, and every element of what is accepted lies inside
// the file.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/torch.h"
#include "fuzz/table_checks.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(input), size);
  const auto table = tensorguard::ReadTorchTable(tensorguard::SourceOf(bytes));
  if (table) {
    tensorguard::CheckAccepted(*table, size);
  } else {
    tensorguard::CheckRefused(table.error());
  }
  return 0;
}
