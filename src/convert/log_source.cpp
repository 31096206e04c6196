#include "log_source.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace aifd::convert {
namespace {

constexpr std::size_t kPackedBytes = std::size_t{128} << 10;  // read at once
constexpr const char* kTorn = "its packed data ends in the middle";

class PlainSource final : public LogSource {
 public:
  explicit PlainSource(int descriptor) : descriptor_(descriptor) {}

  std::size_t read(std::span<char> into) override { return read_file(descriptor_, into); }

 private:
  int descriptor_;
};

// What both packings have in common: a buffer of packed bytes.
class PackedSource : public LogSource {
 protected:
  explicit PackedSource(int descriptor) : descriptor_(descriptor), packed_(kPackedBytes) {}

  // More of them, when all are used up; empty at the file's end.
  std::span<char> read_packed() {
    return std::span(packed_).first(read_file(descriptor_, packed_));
  }

 private:
  int descriptor_;
  std::vector<char> packed_;
};

class ZstdSource final : public PackedSource {
 public:
  explicit ZstdSource(int descriptor) : PackedSource(descriptor), context_(ZSTD_createDCtx()) {}

  std::size_t read(std::span<char> into) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos == 0 && damage().empty()) {
      if (in_.pos == in_.size && !has_more_) {
        const std::span<char> packed = read_packed();
        if (packed.empty()) return wanted_ == 0 || failure() != 0 ? 0 : damaged(kTorn);
        in_ = {packed.data(), packed.size(), 0};
      }
      wanted_ = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(wanted_) != 0) return damaged(ZSTD_getErrorName(wanted_));
      has_more_ = wanted_ != 0 && out.pos == out.size;  // it may hold back what did not fit
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };

  std::unique_ptr<ZSTD_DCtx, Free> context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t wanted_ = 0;  // 0: a frame has ended here
  bool has_more_ = false;
};

class GzipSource final : public PackedSource {
 public:
  explicit GzipSource(int descriptor) : PackedSource(descriptor) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    is_open_ = ::inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~GzipSource() override {
    if (is_open_) ::inflateEnd(&stream_);
  }

  std::size_t read(std::span<char> into) override {
    if (!is_open_) return damaged("there is no memory to unpack it");
    stream_.next_out = reinterpret_cast<Bytef*>(into.data());
    stream_.avail_out = static_cast<uInt>(into.size());
    while (stream_.avail_out == into.size() && damage().empty()) {
      if (stream_.avail_in == 0 && !has_more_) {
        const std::span<char> packed = read_packed();
        if (packed.empty()) return !is_inside_ || failure() != 0 ? 0 : damaged(kTorn);
        stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
        stream_.avail_in = static_cast<uInt>(packed.size());
      }
      if (!unpack()) return damaged(stream_.msg != nullptr ? stream_.msg : "not gzip");
    }
    return into.size() - stream_.avail_out;
  }

 private:
  bool unpack() {
    // Another member may follow the one that has ended.
    if (!std::exchange(is_inside_, true)) ::inflateReset(&stream_);
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) is_inside_ = false;
    has_more_ = is_inside_ && stream_.avail_out == 0;  // it may hold back what did not fit
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
  }

  z_stream stream_{};
  bool is_open_ = false;
  bool is_inside_ = false;  // a member that has not ended
  bool has_more_ = false;
};

}  // namespace

std::unique_ptr<LogSource> LogSource::open(int descriptor, Packing packing) {
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  switch (packing) {
    case Packing::gzip:
      return std::make_unique<GzipSource>(descriptor);
    case Packing::zstd:
      return std::make_unique<ZstdSource>(descriptor);
    case Packing::none:
      break;
  }
  return std::make_unique<PlainSource>(descriptor);
}

std::size_t LogSource::read_file(int descriptor, std::span<char> into) {
  while (true) {
    const ssize_t count = ::read(descriptor, into.data(), into.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) failure_ = errno;
    if (count <= 0) return 0;
    bytes_read_ += static_cast<std::uint64_t>(count);
    return static_cast<std::size_t>(count);
  }
}

std::size_t LogSource::damaged(std::string what) {
  damage_ = std::move(what);
  return 0;
}

}  // namespace aifd::convert
