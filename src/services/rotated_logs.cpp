#include "rotated_logs.hpp"

#include <algorithm>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "aifd/base/log.hpp"
#include "log_names.hpp"
#include "zstd_file.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

struct Rotated {
  std::string name;  // as it was before it was compressed
  RotatedKind kind;
};

// The oldest first. A file that is there in both forms was about to lose the first.
std::vector<Rotated> find_rotated(const fs::path& folder, std::string_view stem,
                                  std::error_code& ec) {
  std::vector<Rotated> found;
  for (fs::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
    std::string name = entry->path().filename().string();
    const std::optional<RotatedKind> kind = rotated_kind(name, stem);
    if (!kind) continue;
    if (*kind == RotatedKind::packed) name.resize(name.size() - kPackedEnding.size());
    found.push_back({std::move(name), *kind});
  }
  std::ranges::sort(found, {}, [](const Rotated& file) { return std::tie(file.name, file.kind); });
  return found;
}

std::size_t count_names(const std::vector<Rotated>& files) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    count += i == 0 || files[i].name != files[i - 1].name ? 1U : 0U;
  }
  return count;
}

fs::path path_of(const fs::path& folder, const Rotated& file) {
  const bool packed = file.kind == RotatedKind::packed;
  return folder / (packed ? file.name + std::string(kPackedEnding) : file.name);
}

// Takes those that go out of the list.
void remove_oldest(const fs::path& folder, std::vector<Rotated>& files, std::size_t keep,
                   std::error_code& ec) {
  std::size_t names = count_names(files);
  std::size_t gone = 0;
  for (; names > keep && !ec; ++gone) {
    fs::remove(path_of(folder, files[gone]), ec);
    const bool last = gone + 1 == files.size() || files[gone + 1].name != files[gone].name;
    if (last) --names;
  }
  files.erase(files.begin(), files.begin() + static_cast<std::ptrdiff_t>(gone));
}

std::string compress(const fs::path& folder, const Rotated& file, const std::atomic<bool>& stop) {
  const fs::path source = folder / file.name;
  const std::string target = source.string() + std::string(kPackedEnding);
  const std::string unfinished = source.string() + std::string(kUnfinishedEnding);
  std::string wrong = compress_file(source, target, unfinished, stop);
  if (!wrong.empty()) return wrong;
  std::error_code ec;
  fs::remove(source, ec);
  return ec ? source.string() + ": " + ec.message() : "";
}

}  // namespace

std::string tidy_rotated(const fs::path& path, const RotatedLogsOptions& options,
                         const std::atomic<bool>& stop) {
  const fs::path folder = path.parent_path();
  std::error_code ec;
  std::vector<Rotated> files = find_rotated(folder, path.stem().string(), ec);
  std::erase_if(files, [&](const Rotated& file) {
    if (file.kind != RotatedKind::unfinished) return false;
    std::error_code ignored;
    fs::remove(folder / file.name, ignored);
    return true;
  });
  if (!ec && options.keep > 0) remove_oldest(folder, files, options.keep, ec);
  if (ec) return folder.string() + ": " + ec.message();
  if (!options.compress) return "";
  for (const Rotated& file : files) {
    if (file.kind != RotatedKind::plain) continue;
    if (std::string wrong = compress(folder, file, stop); !wrong.empty()) return wrong;
  }
  return "";
}

RotatedLogs::RotatedLogs(RotatedLogsOptions options)
    : options_(options), thread_([this] { serve(); }) {}

RotatedLogs::~RotatedLogs() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void RotatedLogs::tidy(const fs::path& path) {
  {
    const std::scoped_lock lock(mutex_);
    if (std::ranges::find(logs_, path) != logs_.end()) return;
    logs_.push_back(path);
  }
  wake_.notify_one();
}

void RotatedLogs::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !logs_.empty(); });
    if (stopping_) return;
    const fs::path path = std::move(logs_.front());
    logs_.pop_front();
    lock.unlock();
    const std::string wrong = tidy_rotated(path, options_, stopping_);
    if (!wrong.empty() && !stopping_) {
      log::warn("rotated files of {} are left as they are: {}", path.string(), wrong);
    }
    lock.lock();
  }
}

}  // namespace aifd::services
