#include "leveldb_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>

namespace aifd::services {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFooterBytes = 48;
constexpr std::size_t kBlockTrailer = 5;

leveldb::Status failure(const std::string& name, int error) {
  const std::string why = std::generic_category().message(error);
  if (error == ENOENT) return leveldb::Status::NotFound(name, why);
  return leveldb::Status::IOError(name, why);
}

class UnmappedFile final : public leveldb::RandomAccessFile {
 public:
  UnmappedFile(std::string name, int descriptor)
      : name_(std::move(name)), descriptor_(descriptor) {}
  ~UnmappedFile() override { ::close(descriptor_); }

  leveldb::Status Read(std::uint64_t offset, std::size_t count, leveldb::Slice* result,
                       char* scratch) const override {
    const ssize_t got = ::pread(descriptor_, scratch, count, static_cast<off_t>(offset));
    *result = leveldb::Slice(scratch, got < 0 ? 0 : static_cast<std::size_t>(got));
    return got < 0 ? failure(name_, errno) : leveldb::Status::OK();
  }

 private:
  const std::string name_;
  const int descriptor_;
};

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= 63 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

// One that is not a footer at all, LevelDB finds out by itself.
bool footer_in_bounds(std::string_view footer, std::uint64_t file_bytes) {
  for (int block = 0; block < 2; ++block) {
    const std::optional<std::uint64_t> offset = take_varint(footer);
    const std::optional<std::uint64_t> size = take_varint(footer);
    if (!offset || !size) return true;
    if (*offset > file_bytes || *size > file_bytes - *offset) return false;
    if (kBlockTrailer > file_bytes - *offset - *size) return false;
  }
  return true;
}

bool sound(const fs::path& table) {
  std::error_code ec;
  const std::uintmax_t size = fs::file_size(table, ec);
  if (ec || size < kFooterBytes) return true;
  std::ifstream file(table, std::ios::binary);
  std::array<char, kFooterBytes> footer{};
  file.seekg(static_cast<std::streamoff>(size - kFooterBytes));
  if (!file.read(footer.data(), footer.size())) return true;
  return footer_in_bounds({footer.data(), footer.size()}, size);
}

}  // namespace

leveldb::Status UnmappedFiles::NewRandomAccessFile(const std::string& name,
                                                   leveldb::RandomAccessFile** result) {
  *result = nullptr;
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failure(name, errno);
  *result = std::make_unique<UnmappedFile>(name, descriptor).release();
  return leveldb::Status::OK();
}

std::string find_leveldb_damage(const fs::path& folder) {
  std::error_code ec;
  for (fs::directory_iterator entry(folder, ec), end; !ec && entry != end; entry.increment(ec)) {
    const std::string kind = entry->path().extension().string();
    if ((kind == ".ldb" || kind == ".sst") && !sound(entry->path())) {
      return entry->path().filename().string() + " points beyond its end";
    }
  }
  return "";
}

}  // namespace aifd::services
