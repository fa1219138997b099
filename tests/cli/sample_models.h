// The models that the tests of the program work on.
#ifndef TENSORGUARD_TESTS_CLI_SAMPLE_MODELS_H_
#define TENSORGUARD_TESTS_CLI_SAMPLE_MODELS_H_

#include "tests/support/scratch_folder.h"

namespace tensorguard::internal {

// In `folder`:
//   tiny, other, third   one-layer Llamas of one shape, with different weights
//   copy                 the same weights as tiny
//   lora                 a PEFT adapter for them
//   cut                  a shard of two is missing
//   hostile.safetensors  a tensor whose name steers terminals, and whose data is not there
//   text.safetensors     no weights at all
void WriteSampleModels(const ScratchFolder& folder);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_CLI_SAMPLE_MODELS_H_
