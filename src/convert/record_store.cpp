#include "record_store.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

namespace aifd::convert {
namespace {

// Not all file systems can make a file without a name.
int make_nameless(const std::filesystem::path& folder) {
  const int made = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (made >= 0) return made;
  std::string name = (folder / ".aifd-convert-XXXXXX").string();
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

RecordStore::Place RecordStore::add(std::string_view text) {
  if (!open()) return {};
  std::uint64_t at = end_ % most_bytes_;
  if (at + text.size() > most_bytes_) {  // begins anew
    end_ += most_bytes_ - at;
    at = 0;
  }
  const Place place{end_, text.size()};
  end_ += text.size();
  while (!text.empty() && failure_ == 0) {
    const ssize_t count = ::pwrite(file_.get(), text.data(), text.size(), static_cast<off_t>(at));
    if (count < 0 && errno != EINTR) failure_ = errno;
    if (count <= 0) continue;
    text.remove_prefix(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return place;
}

std::optional<std::string> RecordStore::read(const Place& place) {
  if (!file_ || failure_ != 0 || place.offset + most_bytes_ < end_) return std::nullopt;
  std::string text(place.length, '\0');
  std::uint64_t at = place.offset % most_bytes_;
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count =
        ::pread(file_.get(), text.data() + done, text.size() - done, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return std::nullopt;
    done += static_cast<std::size_t>(count);
    at += static_cast<std::uint64_t>(count);
  }
  return text;
}

bool RecordStore::open() {
  if (!file_ && failure_ == 0) {
    file_ = Descriptor(make_nameless(folder_));
    if (!file_) failure_ = errno;
  }
  return failure_ == 0;
}

}  // namespace aifd::convert
