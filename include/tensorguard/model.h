// Models: where they lie, and what they are made of.
#ifndef TENSORGUARD_TENSORGUARD_MODEL_H_
#define TENSORGUARD_TENSORGUARD_MODEL_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/error.h"
#include "tensorguard/export.h"
#include "tensorguard/progress.h"
#include "tensorguard/result.h"

namespace tensorguard {

// Where models other than this machine's files are read from. The library reads no environment: a
// program that wants HF_TOKEN and the like to count sets `variable`.
struct Places {
  std::string hub_endpoint = "https://huggingface.co";
  std::string hub_token = {};  // sent to the endpoint alone; empty for none
  std::string hub_cache = {};  // a folder of models--ORG--NAME folders; empty for none
  bool offline = false;        // of the Hub: only what its cache holds
  std::string s3_region = "us-east-1";
  std::string s3_endpoint = {};  // of a store that works like S3; empty for Amazon's
  // Reads a variable of the environment (std::getenv, say). If set, the fields above are taken from
  // the variables that huggingface_hub and Amazon's tools read, not from here.
  std::function<std::optional<std::string>(const char* name)> variable = {};
};

// What the caller hears of long work, and how it ends it early. Each may be empty.
struct Callbacks {
  // Called from worker threads, never from two at once.
  ProgressCallback on_progress = {};
  // Something worth knowing that is no error. Control characters are escaped.
  std::function<void(std::string_view text)> on_note = {};
  // Asked from several threads, often. From the first true on, reading weights ends with
  // ErrorKind::kCancelled.
  std::function<bool()> is_cancelled = {};
};

// How a model is read.
struct ReadOptions {
  std::string base = {};  // of an adapter: the model that it belongs to; empty for none
  // Of several models in one file, or of the parts of a model, the one whose tensors' names begin
  // so; a model without it is taken whole, with a note. Empty for none.
  std::string part = {};
  unsigned threads = 0;     // 0: one per processor
  bool incomplete = false;  // goes on with a model of which parts are missing, and says so
  Places places = {};
  Callbacks callbacks = {};
};

struct TensorSummary {
  std::string name = {};  // raw text of the file
  std::string role = {};  // "query", "down", "norm", ... (docs/roles.md)
  std::optional<uint32_t> layer = {};
  std::string dtype = {};            // as stored: "BF16", "Q4_K"
  std::vector<uint64_t> shape = {};  // row-major; empty for a scalar
  uint64_t stored_bytes = 0;
};

struct ModelSummary {
  std::string name = {};
  std::string architecture = {};
  std::string known_by = {};  // what told the architecture: "config.json", "tensor names", ...
  uint64_t parameters = 0;
  uint64_t layers = 0;
  bool tied_head = false;
  bool is_adapter = false;
  std::vector<TensorSummary> tensors = {};
};

// What `model` names: a weight file (safetensors, GGUF, PyTorch, NumPy, ONNX), a folder, or a
// place: hf://ORG/NAME, https://, s3://. Reads headers and config, no weights. Errors: kNotFound,
// kBadFile, kUnsupported; kUsage for an adapter without a base. Thread-safe.
TENSORGUARD_EXPORT Result<ModelSummary> InspectModel(const std::string& model,
                                                     const ReadOptions& options = {});

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_MODEL_H_
