#include "api/library/caller_session.h"

#include <utility>

#include "api/place_settings.h"

namespace tensorguard::internal {
namespace {

class CallbackListener final : public Listener {
 public:
  explicit CallbackListener(const Callbacks& callbacks) : callbacks_(callbacks) {}

  ProgressCallback ShowProgress(std::string_view) override { return callbacks_.on_progress; }
  void EndProgress() override {}
  void Note(std::string_view text) override {
    if (callbacks_.on_note) callbacks_.on_note(text);
  }
  void ReportError(const Error& error) override { Note(DescribeError(error)); }
  bool Cancelled() const override { return callbacks_.is_cancelled && callbacks_.is_cancelled(); }

 private:
  const Callbacks& callbacks_;
};

PlaceOptions PlaceOptionsOf(const tensorguard::Places& places) {
  if (places.variable) return PlaceOptionsFrom(places.variable);
  PlaceOptions options;
  options.hub_endpoint = places.hub_endpoint;
  options.hub_token = places.hub_token;
  options.hub_cache = places.hub_cache;
  options.offline = places.offline;
  options.s3_region = places.s3_region;
  options.s3_endpoint = places.s3_endpoint;
  return options;
}

std::optional<PartChoice> PartOf(const ReadOptions& options) {
  if (options.part.empty()) return {};
  return PartChoice{.name = options.part, .required = false};
}

}  // namespace

CallerSession::CallerSession(const ReadOptions& options)
    : listener_(std::make_unique<CallbackListener>(options.callbacks)),
      session_{.listener = *listener_,
               .places =
                   [&options,
                    places = std::optional<Result<std::shared_ptr<const Places>>>()]() mutable {
                     if (!places) places = Places::Create(PlaceOptionsOf(options.places));
                     return *places;
                   },
               .part = PartOf(options)} {}

CallerSession::~CallerSession() = default;

std::optional<std::string> BaseOf(const ReadOptions& options) {
  if (options.base.empty()) return {};
  return options.base;
}

FingerprintReading ReadingOf(const FingerprintOptions& options) {
  return {.base = BaseOf(options),
          .threads = options.threads,
          .quick_bytes = options.budget_bytes,
          .incomplete = options.incomplete};
}

}  // namespace tensorguard::internal
