// A file that is there whole or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "descriptor.hpp"

namespace aifd::convert {

// Written beside its place, as <path>.new with mode 0600, and renamed in the end; until then what
// is there stays as it is. Without that end nothing is left behind, but by a process that was
// killed; the next one takes such a rest for its own. Two at once do not get into each other's way:
// the second fails.
class TargetFile {
 public:
  // Of a link the file that it leads to. Whether that worked, failure() tells.
  explicit TargetFile(const std::filesystem::path& path);
  ~TargetFile();
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;

  // After a failure these do nothing.
  void write(std::string_view text);
  void finish();  // called once, last

  // What went wrong first, for a person; empty: nothing.
  const std::string& failure() const noexcept { return failure_; }

 private:
  bool open();
  void flush();
  void fail(int error);

  std::filesystem::path path_;
  std::filesystem::path beside_;
  Descriptor file_;
  std::string buffered_;
  std::string failure_;
};

}  // namespace aifd::convert
