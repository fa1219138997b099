#include "places/opened_files.h"

namespace tensorguard::internal {

Result<std::shared_ptr<const File>> OpenedFiles::Get(const std::string& path, const Opener& open) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Entry>& known = entries_[path];
    if (!known) known = std::make_shared<Entry>();
    entry = known;
  }
  const std::lock_guard lock(entry->mutex);
  if (entry->answer) return *entry->answer;
  auto answer = open();
  if (answer || answer.error().kind == ErrorKind::kNotFound) entry->answer = answer;
  return answer;
}

}  // namespace tensorguard::internal
