// Fingerprints a model, tells where it is, and ends early on Ctrl-C:
// fingerprint_with_progress MODEL NAME.fingerprint.safetensors [MOST_SECONDS]
#include <tensorguard/tensorguard.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>

namespace tg = tensorguard;

namespace {

volatile std::sig_atomic_t interrupted = 0;

void Interrupt(int) { interrupted = 1; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "fingerprint_with_progress MODEL NAME.fingerprint.safetensors [MOST_SECONDS]\n";
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  const auto most = std::chrono::duration<double>(argc == 4 ? std::atof(argv[3]) : 1e9);
  const auto begin = Clock::now();
  std::signal(SIGINT, Interrupt);

  tg::FingerprintOptions options;
  // Called from worker threads, never from two at once.
  options.callbacks.on_progress = [percent = uint64_t{0}](const tg::Progress& progress) mutable {
    const uint64_t now =
        progress.bytes_total == 0 ? 0 : 100 * progress.bytes_done / progress.bytes_total;
    if (now >= percent + 10) std::cerr << (percent = now) << "%\n";
  };
  // Asked from several threads at once.
  options.callbacks.is_cancelled = [&] { return interrupted != 0 || Clock::now() - begin > most; };

  const auto fingerprint = tg::FingerprintModel(argv[1], options);
  if (!fingerprint) {
    std::cerr << tg::DescribeError(fingerprint.error()) << '\n';
    return fingerprint.error().kind == tg::ErrorKind::kCancelled ? 130 : 2;
  }
  if (const auto written = tg::WriteFingerprint(*fingerprint, argv[2]); !written) {
    std::cerr << tg::DescribeError(written.error()) << '\n';
    return 2;
  }
  std::cout << fingerprint->model_name() << ": " << fingerprint->architecture() << ", "
            << fingerprint->layers() << " layers, " << fingerprint->weights() << " weights\n";
  return 0;
}
