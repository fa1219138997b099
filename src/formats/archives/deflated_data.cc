#include "formats/archives/deflated_data.h"

#include <zlib.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tensorguard::internal {
namespace {

constexpr uint64_t kStateEveryBytes = 4 << 20;
constexpr uint64_t kInputBytes = 1 << 16;

}  // namespace

// A decompression at some place of the stream.
class DeflatedData::Stream {
 public:
  explicit Stream(uint64_t input_bytes) : input_place_(input_bytes) {
    ready_ = inflateInit2(&state_, -MAX_WBITS) == Z_OK;
  }
  // Goes on where `other` is, whose input it reads again.
  Stream(const Stream& other)
      : input_place_(other.input_place_ - other.state_.avail_in), place_(other.place_) {
    ready_ = other.ready_ && inflateCopy(&state_, const_cast<z_stream*>(&other.state_)) == Z_OK;
    state_.avail_in = 0;
    state_.next_in = nullptr;
  }
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (ready_) inflateEnd(&state_);
  }

  uint64_t place_bytes() const { return place_; }  // in the unpacked data

  // Unpacks the next bytes. `end_bytes`: of the input.
  Result<void> Unpack(const ByteSource& source, uint64_t end_bytes, std::span<std::byte> out) {
    if (!ready_) return Error{.kind = ErrorKind::kSystem, .problem = "no memory to unpack data"};
    while (!out.empty()) {
      if (state_.avail_in == 0) {
        auto filled = Fill(source, end_bytes);
        if (!filled) return filled;
      }
      const size_t most = std::min<size_t>(out.size(), 1 << 30);
      state_.next_out = reinterpret_cast<Bytef*>(out.data());
      state_.avail_out = static_cast<uInt>(most);
      const int status = inflate(&state_, Z_NO_FLUSH);
      const size_t made = most - state_.avail_out;
      place_ += made;
      out = out.subspan(made);
      const bool ended = status == Z_STREAM_END && !out.empty();
      const bool stuck = status == Z_BUF_ERROR && state_.avail_in == 0;
      if (ended || (status != Z_OK && status != Z_STREAM_END && !stuck)) {
        return Error{.problem = ended ? "packed data ends early" : "packed data is broken",
                     .byte_offset = input_place_ - state_.avail_in};
      }
    }
    return {};
  }

 private:
  Result<void> Fill(const ByteSource& source, uint64_t end_bytes) {
    const uint64_t bytes = std::min(kInputBytes, end_bytes - input_place_);
    if (bytes == 0) return Error{.problem = "packed data ends early", .byte_offset = end_bytes};
    input_.resize(bytes);
    auto read = source.read(input_place_, input_);
    if (!read) return read;
    input_place_ += bytes;
    state_.next_in = reinterpret_cast<Bytef*>(input_.data());
    state_.avail_in = static_cast<uInt>(bytes);
    return {};
  }

  z_stream state_ = {};
  bool ready_ = false;
  uint64_t input_place_;  // of the file, behind what is in `input_`
  uint64_t place_ = 0;
  std::vector<std::byte> input_;
};

DeflatedData::DeflatedData(uint64_t begin_bytes, uint64_t end_bytes, uint64_t size_bytes)
    : begin_bytes_(begin_bytes), end_bytes_(end_bytes), size_bytes_(size_bytes) {}

DeflatedData::~DeflatedData() = default;

std::unique_ptr<DeflatedData::Stream> DeflatedData::StreamBefore(uint64_t offset_bytes) const {
  const std::lock_guard lock(mutex_);
  auto next = states_.upper_bound(offset_bytes);
  const uint64_t remembered = next == states_.begin() ? 0 : std::prev(next)->first;
  if (last_ != nullptr && last_->place_bytes() <= offset_bytes &&
      last_->place_bytes() >= remembered) {
    return std::move(last_);
  }
  if (next == states_.begin()) return std::make_unique<Stream>(begin_bytes_);
  return std::make_unique<Stream>(*std::prev(next)->second);
}

void DeflatedData::Remember(const Stream& stream) const {
  const std::lock_guard lock(mutex_);
  auto& state = states_[stream.place_bytes()];
  if (state == nullptr) state = std::make_unique<Stream>(stream);
}

Result<void> DeflatedData::ReadAt(const ByteSource& source, uint64_t offset_bytes,
                                  std::span<std::byte> out) const {
  std::unique_ptr<Stream> stream = StreamBefore(offset_bytes);
  std::vector<std::byte> passed_over;
  while (stream->place_bytes() < offset_bytes || !out.empty()) {
    const uint64_t place = stream->place_bytes();
    const uint64_t to_state = kStateEveryBytes - place % kStateEveryBytes;
    std::span<std::byte> part;
    if (place < offset_bytes) {
      passed_over.resize(kInputBytes);
      part = std::span(passed_over).first(std::min({kInputBytes, offset_bytes - place, to_state}));
    } else {
      part = out.first(std::min<uint64_t>(out.size(), to_state));
      out = out.subspan(part.size());
    }
    auto unpacked = stream->Unpack(source, end_bytes_, part);
    if (!unpacked) return unpacked;
    if (stream->place_bytes() % kStateEveryBytes == 0) Remember(*stream);
  }
  const std::lock_guard lock(mutex_);
  last_ = std::move(stream);
  return {};
}

}  // namespace tensorguard::internal
