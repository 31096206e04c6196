#include "log_files.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "aifd/protocol/chat_record.hpp"
#include "line_reader.hpp"

namespace aifd::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kCurrent = "chat.log";
constexpr std::string_view kTimeShape = "0000-00-00_00-00-00_000000";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Packing packing_of(const fs::path& path) {
  if (path.extension() == ".gz") return Packing::gzip;
  return path.extension() == ".zst" ? Packing::zstd : Packing::none;
}

fs::path unpacked(fs::path path) {
  return packing_of(path) == Packing::none ? path : path.replace_extension();
}

bool has_time_shape(std::string_view text) {
  return text.size() == kTimeShape.size() &&
         std::equal(text.begin(), text.end(), kTimeShape.begin(),
                    [](char c, char shape) { return shape == '0' ? is_digit(c) : c == shape; });
}

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
  return digits;
}

// Whatever it is: a pipe that nobody writes to does not hold it up.
Descriptor open_to_read(const fs::path& path) {
  return Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
}

// As rotation_time() has it; empty where none of the first lines tells. Leaves the file as it was.
std::string first_record_time(const LogFile& file) {
  constexpr int kMostLines = 100;
  constexpr std::size_t kMostLineBytes = std::size_t{1} << 20;
  const Descriptor own = file.descriptor ? Descriptor() : open_to_read(file.path);
  const int descriptor = file.descriptor ? file.descriptor.get() : own.get();
  const auto source = LogSource::open(descriptor, file.packing);
  LineReader lines(*source, kMostLineBytes);
  std::string time;
  std::string_view line;
  for (int i = 0; i < kMostLines && time.empty(); ++i) {
    const LineReader::Found found = lines.next(line);
    if (found == LineReader::Found::end) break;
    if (found != LineReader::Found::line) continue;
    const auto read = protocol::read_chat_record(line);
    const auto* record = std::get_if<protocol::ChatRecord>(&read);
    if (record != nullptr) time = digits_of(record->datetime);
  }
  ::lseek(descriptor, 0, SEEK_SET);
  return time;
}

std::string describe_failure(const fs::path& path, int failure) {
  return path.string() + " cannot be read: " + std::strerror(failure);
}

// A log of many files needs as many descriptors. Gives how many of them it may have open.
rlim_t allow_most_descriptors() {
  constexpr rlim_t kOthers = 32;  // for all else that is open
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_max > kOthers ? limit.rlim_max - kOthers : 1;
}

class Opener {
 public:
  explicit Opener(const fs::path& folder) : folder_(folder) {}

  std::variant<std::vector<LogFile>, std::string> open() {
    most_open_ = allow_most_descriptors();
    // First: when it is rotated from here on, it is found again under its new name.
    add(folder_ / kCurrent);
    std::error_code ec;
    const std::set<fs::path> paths = list(ec);
    if (ec) return folder_.string() + " cannot be read: " + ec.message();
    for (const fs::path& path : paths) {
      const bool is_current = path.filename() == kCurrent;
      const bool is_copy = packing_of(path) != Packing::none && paths.contains(unpacked(path));
      if (!is_current && !is_copy) add_or_packed(path);
    }
    if (!failure_.empty()) return failure_;
    return sorted();
  }

 private:
  std::set<fs::path> list(std::error_code& ec) const {
    std::set<fs::path> paths;
    for (fs::directory_iterator entry(folder_, ec), end; !ec && entry != end; entry.increment(ec)) {
      std::error_code is_gone;
      if (is_log_name(entry->path()) && entry->is_regular_file(is_gone)) {
        paths.insert(entry->path());
      }
    }
    return paths;
  }

  // It may have been packed since it was listed, or deleted, being old.
  void add_or_packed(const fs::path& path) {
    if (!add(path)) add(path.string() + ".zst");
  }

  // False where there is none. When there are too many, the newest are not kept open, which are the
  // last to be deleted.
  bool add(const fs::path& path) {
    LogFile file{path, packing_of(path), open_to_read(path), 0};
    struct stat found {};
    if (!file.descriptor || ::fstat(file.descriptor.get(), &found) != 0) {
      const int failure = errno;
      if (failure == ENOENT) return false;
      if (failure_.empty()) failure_ = describe_failure(path, failure);
      return true;
    }
    const bool is_new = known_.emplace(found.st_dev, found.st_ino).second;
    if (!is_new || !S_ISREG(found.st_mode)) return true;
    file.bytes = static_cast<std::uint64_t>(found.st_size);
    if (files_.size() >= most_open_) file.descriptor = Descriptor();
    files_.push_back(std::move(file));
    return true;
  }

  std::vector<LogFile> sorted() {
    using Key = std::tuple<bool, std::string, std::size_t, fs::path>;
    std::vector<std::pair<Key, LogFile>> keyed;
    for (LogFile& file : files_) {
      const bool is_current = file.path.filename() == kCurrent;
      std::string time = is_current ? std::string{} : rotation_time(file.path);
      if (time.empty() && !is_current) time = first_record_time(file);
      const std::size_t length =
          unpacked(file.path).native().size();  // "x.2.log" is before "x.10.log"
      Key key{is_current, std::move(time), length, file.path};
      keyed.emplace_back(std::move(key), std::move(file));
    }
    std::ranges::sort(keyed, {}, &std::pair<Key, LogFile>::first);
    std::vector<LogFile> files;
    files.reserve(keyed.size());
    for (auto& [key, file] : keyed) files.push_back(std::move(file));
    return files;
  }

  const fs::path& folder_;
  rlim_t most_open_ = 0;
  std::vector<LogFile> files_;
  std::set<std::pair<dev_t, ino_t>> known_;
  std::string failure_;
};

}  // namespace

bool is_log_name(const fs::path& path) {
  return unpacked(path).extension() == ".log";
}

bool has_logs(const fs::path& folder) {
  std::error_code ec;
  for (fs::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
    if (is_log_name(entry->path())) return true;
  }
  return false;
}

std::string rotation_time(const fs::path& path) {
  fs::path stem = unpacked(path).stem();
  std::string last = stem.extension().string();
  const bool is_counter = last.size() > 1 && last.size() < kTimeShape.size() &&
                          std::all_of(last.begin() + 1, last.end(), is_digit);
  if (is_counter) last = stem.stem().extension().string();
  if (!last.starts_with('.') || !has_time_shape(std::string_view(last).substr(1))) return {};
  return digits_of(last);
}

int open_again(LogFile& file) {
  if (file.descriptor) return 0;
  file.descriptor = open_to_read(file.path);
  if (!file.descriptor && errno == ENOENT && file.packing == Packing::none) {
    file.path += ".zst";
    file.packing = Packing::zstd;
    file.descriptor = open_to_read(file.path);
  }
  return file.descriptor ? 0 : errno;
}

std::variant<std::vector<LogFile>, std::string> open_logs(const fs::path& folder) {
  return Opener(folder).open();
}

}  // namespace aifd::convert
