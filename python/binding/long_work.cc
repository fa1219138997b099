#include "long_work.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tensorguard::python {
namespace {

namespace py = pybind11;

constexpr auto kBetweenLooks = std::chrono::milliseconds(50);

struct Report {
  std::string what;
  uint64_t done = 0;
  uint64_t total = 0;
  ProgressUnit unit = ProgressUnit::kBytes;
};

// What the work has reported and the calling thread has not yet handed on.
class Mailbox {
 public:
  Callbacks CallbacksOf() {
    Callbacks callbacks;
    callbacks.on_progress = [this](const Progress& progress) {
      const std::lock_guard lock(mutex_);
      report_ = {std::string(progress.what), progress.bytes_done, progress.bytes_total,
                 progress.unit};
    };
    callbacks.on_note = [this](std::string_view text) {
      const std::lock_guard lock(mutex_);
      notes_.emplace_back(text);
    };
    callbacks.is_cancelled = [this] { return cancelled_.load(); };
    return callbacks;
  }

  void Cancel() { cancelled_ = true; }

  void Finish() {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  }

  struct Contents {
    std::optional<Report> report;
    std::vector<std::string> notes;
    bool finished = false;
  };

  // Waits until the work is done, or for a little while.
  Contents Take() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kBetweenLooks, [this] { return finished_; });
    return {.report = std::exchange(report_, {}),
            .notes = std::exchange(notes_, {}),
            .finished = finished_};
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Report> report_;
  std::vector<std::string> notes_;
  bool finished_ = false;
  std::atomic<bool> cancelled_ = false;
};

void HandOn(const py::object& listener, const Mailbox::Contents& contents) {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (listener.is_none()) return;
  for (const std::string& note : contents.notes) listener(Text(note));
  if (const auto& report = contents.report) {
    listener(Text(report->what), report->done, report->total,
             report->unit == ProgressUnit::kFiles ? "files" : "bytes");
  }
}

}  // namespace

void RunLongWork(const py::object& listener, const std::function<void(const Callbacks&)>& work) {
  Mailbox mailbox;
  std::exception_ptr failure;       // of the work
  std::exception_ptr interruption;  // of a signal's handler, or of the listener
  {
    const py::gil_scoped_release released;
    std::thread worker([&] {
      try {
        work(mailbox.CallbacksOf());
      } catch (...) {
        failure = std::current_exception();
      }
      mailbox.Finish();
    });
    for (bool finished = false; !finished;) {
      const Mailbox::Contents contents = mailbox.Take();
      finished = contents.finished;
      if (interruption) continue;
      const py::gil_scoped_acquire acquired;
      try {
        HandOn(listener, contents);
      } catch (...) {
        interruption = std::current_exception();
        mailbox.Cancel();
      }
    }
    worker.join();
  }
  if (interruption) std::rethrow_exception(interruption);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tensorguard::python
