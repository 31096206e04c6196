#include "rotated_logs.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "aifd/base/log.hpp"
#include "aifd/base/this_thread.hpp"
#include "log_names.hpp"
#include "zstd_file.hpp"

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

struct Rotated {
  std::string name;  // as it was before it was compressed
  fs::file_time_type time;
  bool plain = false;
  bool packed = false;  // where it is both, it was about to lose the first
};

// The oldest first: by the time of their last line, since the local time in their names may be had
// twice. What is no file is passed over, what is unfinished goes.
std::vector<Rotated> find_rotated(const fs::path& folder, std::string_view stem,
                                  std::error_code& ec) {
  std::map<std::string, Rotated> found;
  for (fs::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
    std::string name = entry->path().filename().string();
    const std::optional<RotatedKind> kind = rotated_kind(name, stem);
    std::error_code gone;
    if (!kind || !entry->is_regular_file(gone)) continue;
    if (*kind == RotatedKind::unfinished) {
      remove_unfinished(entry->path());
      continue;
    }
    const fs::file_time_type time = entry->last_write_time(gone);
    if (gone) continue;
    const bool packed = *kind == RotatedKind::packed;
    if (packed) name.resize(name.size() - kPackedEnding.size());
    Rotated& file = found[name];
    file.name = name;
    file.time = time;
    (packed ? file.packed : file.plain) = true;
  }
  std::vector<Rotated> files;
  for (auto& [name, file] : found) files.push_back(std::move(file));
  std::ranges::stable_sort(files, {}, &Rotated::time);
  return files;
}

// Of several troubles the first is told.
void note(std::string& wrong, std::string more) {
  if (wrong.empty()) wrong = std::move(more);
}

void remove_file(const fs::path& path, std::string& wrong) {
  std::error_code ec;
  fs::remove(path, ec);
  if (ec) note(wrong, path.string() + ": " + ec.message());
}

// Takes those that go out of the list.
void remove_oldest(const fs::path& folder, std::vector<Rotated>& files, std::size_t keep,
                   std::string& wrong) {
  if (files.size() <= keep) return;
  const auto kept = files.end() - static_cast<std::ptrdiff_t>(keep);
  for (auto file = files.begin(); file != kept; ++file) {
    if (file->plain) remove_file(folder / file->name, wrong);
    if (file->packed) remove_file(folder / (file->name + std::string(kPackedEnding)), wrong);
  }
  files.erase(files.begin(), kept);
}

}  // namespace

std::string tidy_rotated(const fs::path& path, const RotatedLogsOptions& options,
                         const std::atomic<bool>& stop) {
  const fs::path folder = path.parent_path();
  std::error_code ec;
  std::vector<Rotated> files = find_rotated(folder, path.stem().string(), ec);
  if (ec) return folder.string() + ": " + ec.message();
  std::string wrong;
  if (options.keep > 0) remove_oldest(folder, files, options.keep, wrong);
  if (!options.compress) return wrong;
  for (const Rotated& file : files) {
    if (!file.plain) continue;
    const std::string source = (folder / file.name).string();
    note(wrong, compress_file(source, source + std::string(kPackedEnding),
                              source + std::string(kUnfinishedEnding), stop));
    if (stop) break;
  }
  return wrong;
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

bool RotatedLogs::ends_within(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  return at_end_.wait_for(lock, patience, [this] { return ended_; });
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
  name_this_thread("aifd-old-logs");
  let_others_go_first();
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !logs_.empty(); });
    if (stopping_) break;
    const fs::path path = std::move(logs_.front());
    logs_.pop_front();
    lock.unlock();
    const std::string wrong = tidy_rotated(path, options_, stopping_);
    if (!wrong.empty() && !stopping_) {
      log::warn("rotated files of {} are left as they are: {}", path.string(), wrong);
    }
    lock.lock();
  }
  ended_ = true;
  at_end_.notify_all();
}

}  // namespace aifd::services
