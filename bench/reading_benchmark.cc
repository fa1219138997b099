// reading_benchmark FILE [RUNS]: how fast the bytes of one large file reach a program, by the ways
// that Linux offers. Every way reads the whole file once into reused buffers, by one and by two
// threads, from the page cache (warm) and from the disk (cold), without work and with a fixed
// amount of processor time per byte, where overlap shows. Runs go round all ways in turn; the sum
// of all words must come out the same each time. Prints a markdown table.
//
// mmap is here for comparison only: a file that shrinks while it is mapped kills the process.
#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tensorguard::internal {
namespace {

constexpr double kWorkSecondsPerByte = 0.3e-9;

enum class Way { kPread, kPreadAhead, kUring, kMmap };

struct Setting {
  std::string name;
  Way way;
  uint64_t block_bytes;
  uint64_t ahead_bytes = 0;        // kPreadAhead: how far WILLNEED runs before the reads
  unsigned depth = 0;              // kUring: reads in flight, of each thread
  int advice = POSIX_FADV_NORMAL;  // for the whole descriptor
};

[[noreturn]] void Die(const std::string& what) {
  fmt::print(stderr, "reading_benchmark: {}: {}\n", what, std::strerror(errno));
  std::exit(2);
}

// One pass over the file that several threads share: each takes the next block.
struct Pass {
  int descriptor;
  uint64_t size_bytes;
  bool with_work;
  const std::byte* mapped = nullptr;
  std::atomic<uint64_t> next_byte = 0;
  std::atomic<uint64_t> sum = 0;
};

uint64_t SumOfWords(std::span<const std::byte> block) {
  uint64_t sum = 0;
  for (size_t i = 0; i + 8 <= block.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, block.data() + i, 8);
    sum += word;
  }
  for (size_t i = block.size() / 8 * 8; i < block.size(); ++i) sum += uint64_t(block[i]);
  return sum;
}

double ThreadSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Touches every byte; with work, uses processor time until the block has had its share.
void Use(Pass& pass, std::span<const std::byte> block) {
  const double until = ThreadSeconds() + kWorkSecondsPerByte * static_cast<double>(block.size());
  pass.sum += SumOfWords(block);
  while (pass.with_work && ThreadSeconds() < until) {
  }
}

void ReadFully(int descriptor, uint64_t offset, std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
    if (count <= 0) Die("pread");
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

void RunPread(Pass& pass, const Setting& setting) {
  std::vector<std::byte> buffer(setting.block_bytes);
  while (true) {
    const uint64_t begin = pass.next_byte.fetch_add(setting.block_bytes);
    if (begin >= pass.size_bytes) return;
    const auto block =
        std::span(buffer).first(std::min(setting.block_bytes, pass.size_bytes - begin));
    if (setting.ahead_bytes > 0) {
      posix_fadvise(pass.descriptor, static_cast<off_t>(begin + setting.ahead_bytes),
                    static_cast<off_t>(setting.block_bytes), POSIX_FADV_WILLNEED);
    }
    ReadFully(pass.descriptor, begin, block);
    Use(pass, block);
  }
}

struct Slot {
  std::vector<std::byte> buffer;
  uint64_t begin = 0;
  uint64_t wanted = 0;
};

bool SubmitNext(io_uring& ring, Pass& pass, const Setting& setting, Slot& slot) {
  slot.begin = pass.next_byte.fetch_add(setting.block_bytes);
  if (slot.begin >= pass.size_bytes) return false;
  slot.wanted = std::min(setting.block_bytes, pass.size_bytes - slot.begin);
  io_uring_sqe* entry = io_uring_get_sqe(&ring);
  io_uring_prep_read(entry, pass.descriptor, slot.buffer.data(), static_cast<unsigned>(slot.wanted),
                     slot.begin);
  io_uring_sqe_set_data(entry, &slot);
  if (io_uring_submit(&ring) < 0) Die("io_uring_submit");
  return true;
}

void RunUring(Pass& pass, const Setting& setting) {
  io_uring ring;
  if (io_uring_queue_init(setting.depth, &ring, 0) < 0) Die("io_uring_queue_init");
  std::vector<Slot> slots(setting.depth);
  unsigned in_flight = 0;
  for (Slot& slot : slots) {
    slot.buffer.resize(setting.block_bytes);
    in_flight += SubmitNext(ring, pass, setting, slot);
  }
  for (; in_flight > 0; --in_flight) {
    io_uring_cqe* completion = nullptr;
    if (io_uring_wait_cqe(&ring, &completion) < 0) Die("io_uring_wait_cqe");
    Slot& slot = *static_cast<Slot*>(io_uring_cqe_get_data(completion));
    if (completion->res <= 0) Die("io_uring read");
    const auto done = static_cast<uint64_t>(completion->res);
    io_uring_cqe_seen(&ring, completion);
    const auto block = std::span(slot.buffer).first(slot.wanted);
    if (done < slot.wanted) ReadFully(pass.descriptor, slot.begin + done, block.subspan(done));
    Use(pass, block);
    in_flight += SubmitNext(ring, pass, setting, slot);
  }
  io_uring_queue_exit(&ring);
}

void RunMmap(Pass& pass, const Setting& setting) {
  while (true) {
    const uint64_t begin = pass.next_byte.fetch_add(setting.block_bytes);
    if (begin >= pass.size_bytes) return;
    Use(pass, {pass.mapped + begin, std::min(setting.block_bytes, pass.size_bytes - begin)});
  }
}

void Run(Pass& pass, const Setting& setting) {
  switch (setting.way) {
    case Way::kUring:
      return RunUring(pass, setting);
    case Way::kMmap:
      return RunMmap(pass, setting);
    default:
      return RunPread(pass, setting);
  }
}

// Drops the file from the page cache, and makes sure of it.
void Evict(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) Die(path);
  fsync(descriptor);  // pages not yet on the disk would stay
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  for (int i = 0; i < 64; ++i) {
    std::byte byte;
    iovec vector = {&byte, 1};
    if (preadv2(descriptor, &vector, 1, status.st_size / 64 * i, RWF_NOWAIT) == 1) {
      fmt::print(stderr, "reading_benchmark: {} stays in the page cache\n", path);
      std::exit(2);
    }
  }
  close(descriptor);
}

double ProcessSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Timing {
  double seconds;
  double processor_seconds;
  uint64_t sum;
};

Timing RunOnce(const std::string& path, const Setting& setting, unsigned threads, bool with_work) {
  const auto begin = std::chrono::steady_clock::now();
  const double processor_begin = ProcessSeconds();
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0) Die(path);
  Pass pass = {.descriptor = descriptor,
               .size_bytes = static_cast<uint64_t>(status.st_size),
               .with_work = with_work};
  posix_fadvise(descriptor, 0, 0, setting.advice);
  if (setting.ahead_bytes > 0) {
    posix_fadvise(descriptor, 0, static_cast<off_t>(setting.ahead_bytes), POSIX_FADV_WILLNEED);
  }
  void* mapped = nullptr;
  if (setting.way == Way::kMmap) {
    mapped = mmap(nullptr, pass.size_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED) Die("mmap");
    madvise(mapped, pass.size_bytes, MADV_SEQUENTIAL);
    pass.mapped = static_cast<const std::byte*>(mapped);
  }
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&] { Run(pass, setting); });
    Run(pass, setting);
  }
  if (mapped != nullptr) munmap(mapped, pass.size_bytes);
  close(descriptor);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  return {seconds.count(), ProcessSeconds() - processor_begin, pass.sum};
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<Setting> Settings() {
  constexpr uint64_t kKib = 1 << 10, kMib = 1 << 20;
  return {
      {.name = "pread, 64 KiB", .way = Way::kPread, .block_bytes = 64 * kKib},
      {.name = "pread, 256 KiB", .way = Way::kPread, .block_bytes = 256 * kKib},
      {.name = "pread, 1 MiB", .way = Way::kPread, .block_bytes = kMib},
      {.name = "pread, 4 MiB", .way = Way::kPread, .block_bytes = 4 * kMib},
      {.name = "pread, 8 MiB", .way = Way::kPread, .block_bytes = 8 * kMib},
      {.name = "pread, 256 KiB, SEQUENTIAL",
       .way = Way::kPread,
       .block_bytes = 256 * kKib,
       .advice = POSIX_FADV_SEQUENTIAL},
      {.name = "pread, 256 KiB, WILLNEED 2 MiB ahead",
       .way = Way::kPreadAhead,
       .block_bytes = 256 * kKib,
       .ahead_bytes = 2 * kMib},
      {.name = "pread, 256 KiB, WILLNEED 16 MiB ahead",
       .way = Way::kPreadAhead,
       .block_bytes = 256 * kKib,
       .ahead_bytes = 16 * kMib},
      {.name = "pread, 1 MiB, WILLNEED 16 MiB ahead",
       .way = Way::kPreadAhead,
       .block_bytes = kMib,
       .ahead_bytes = 16 * kMib},
      {.name = "io_uring, 256 KiB, 4 in flight",
       .way = Way::kUring,
       .block_bytes = 256 * kKib,
       .depth = 4},
      {.name = "io_uring, 1 MiB, 4 in flight", .way = Way::kUring, .block_bytes = kMib, .depth = 4},
      {.name = "io_uring, 256 KiB, 16 in flight",
       .way = Way::kUring,
       .block_bytes = 256 * kKib,
       .depth = 16},
      {.name = "mmap (dies when the file shrinks)", .way = Way::kMmap, .block_bytes = 256 * kKib},
  };
}

struct Case {
  bool cold;
  bool with_work;
  unsigned threads;
};

void PrintTable(const std::vector<Setting>& settings, const std::vector<Case>& cases,
                const std::vector<std::vector<std::vector<Timing>>>& timings) {
  fmt::print("| way |");
  for (const Case& each : cases) {
    fmt::print(" {}{}, {} thread{} |", each.cold ? "cold" : "warm", each.with_work ? ", work" : "",
               each.threads, each.threads == 1 ? "" : "s");
  }
  fmt::print("\n| --- |");
  for (size_t i = 0; i < cases.size(); ++i) fmt::print(" --- |");
  fmt::print("\n");
  for (size_t s = 0; s < settings.size(); ++s) {
    fmt::print("| {} |", settings[s].name);
    for (size_t c = 0; c < cases.size(); ++c) {
      std::vector<double> seconds, processor;
      for (const Timing& timing : timings[s][c]) {
        seconds.push_back(timing.seconds);
        processor.push_back(timing.processor_seconds);
      }
      fmt::print(" {:.2f}, {:.2f} ({:.2f}) |", Median(seconds),
                 *std::min_element(seconds.begin(), seconds.end()), Median(processor));
    }
    fmt::print("\n");
  }
}

int Main(const std::vector<std::string>& arguments) {
  unsigned runs = 5;
  const bool runs_given = arguments.size() == 2;
  if (arguments.empty() || arguments.size() > 2 ||
      (runs_given &&
       std::from_chars(arguments[1].data(), arguments[1].data() + arguments[1].size(), runs).ec !=
           std::errc()) ||
      runs == 0) {
    fmt::print(stderr, "usage: reading_benchmark FILE [RUNS]\n");
    return 2;
  }
  const std::string& path = arguments[0];
  const std::vector<Setting> settings = Settings();
  std::vector<Case> cases;
  for (const bool cold : {false, true}) {
    for (const bool with_work : {false, true}) {
      for (const unsigned threads : {1u, 2u}) cases.push_back({cold, with_work, threads});
    }
  }
  const uint64_t sum = RunOnce(path, settings[0], 2, false).sum;
  std::vector timings(settings.size(), std::vector<std::vector<Timing>>(cases.size()));
  for (size_t c = 0; c < cases.size(); ++c) {
    for (unsigned run = 0; run < runs; ++run) {
      for (size_t s = 0; s < settings.size(); ++s) {
        if (cases[c].cold) Evict(path);
        const Timing timing = RunOnce(path, settings[s], cases[c].threads, cases[c].with_work);
        if (timing.sum != sum) {
          fmt::print(stderr, "reading_benchmark: {} read other bytes\n", settings[s].name);
          return 2;
        }
        timings[s][c].push_back(timing);
      }
    }
    if (cases[c].cold) RunOnce(path, settings[0], 2, false);  // leave the file cached
  }
  fmt::print(
      "Median and least seconds of {} runs, median processor seconds in brackets; work is {} ns "
      "per "
      "byte.\n\n",
      runs, kWorkSecondsPerByte * 1e9);
  PrintTable(settings, cases, timings);
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  return tensorguard::internal::Main(std::vector<std::string>(argv + 1, argv + argc));
}
