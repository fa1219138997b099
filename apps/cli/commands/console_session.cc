#include "cli/commands/console_session.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "api/place_settings.h"

namespace tensorguard::internal::cli {
namespace {

Result<std::shared_ptr<const Places>> PlacesOfEnvironment() {
  static const Result<std::shared_ptr<const Places>> places =
      Places::Create(PlaceOptionsFrom([](const char* name) {
        const char* const value = std::getenv(name);
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
      }));
  return places;
}

}  // namespace

Session SessionOf(Console& console) { return {.listener = console, .places = PlacesOfEnvironment}; }

Session SessionOf(Console& console, const std::optional<std::string>& part, bool of_one_model) {
  Session session = SessionOf(console);
  if (part) session.part = PartChoice{.name = *part, .required = of_one_model};
  return session;
}

}  // namespace tensorguard::internal::cli
