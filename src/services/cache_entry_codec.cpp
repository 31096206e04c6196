#include "aifd/services/cache_entry_codec.hpp"

#include <concepts>

#include "crc64.hpp"

namespace aifd::services {
namespace {

constexpr std::string_view kMagic = "AIFDANSW";
constexpr std::uint32_t kVersion = 1;
constexpr std::uint16_t kEventStream = 1;
constexpr std::size_t kHeadBytes = 56;
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kFieldBytes = 8;  // without name and value
constexpr std::size_t kBeatBytes = 12;

std::uint64_t checksum(const CacheKey& key, std::string_view bytes) noexcept {
  const std::string_view key_bytes(reinterpret_cast<const char*>(key.data()), key.size());
  return crc64(bytes, crc64(key_bytes));
}

template <std::unsigned_integral T>
void append(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i)));
  }
}

std::size_t record_bytes(const CacheEntry& entry) noexcept {
  std::size_t total = kHeadBytes + kChecksumBytes + entry.body.size();
  total += entry.rhythm.size() * kBeatBytes;
  for (const CacheField& field : entry.fields) {
    total += kFieldBytes + field.name.size() + field.value.size();
  }
  return total;
}

// Takes values from the front; once something is missing all that follows is zero and empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : bytes_(bytes) {}

  template <std::unsigned_integral T>
  T number() noexcept {
    const std::string_view raw = text(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
    }
    return static_cast<T>(value);
  }

  std::string_view text(std::uint64_t length) noexcept {
    if (length > bytes_.size()) {
      fail();
      return {};
    }
    const std::string_view taken = bytes_.substr(0, length);
    bytes_.remove_prefix(length);
    return taken;
  }

  void fail() noexcept {
    failed_ = true;
    bytes_ = {};
  }

  bool failed() const noexcept { return failed_; }
  std::size_t left() const noexcept { return bytes_.size(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

struct RecordHead {
  std::uint16_t status;
  std::uint16_t flags;
  std::uint64_t length;
  CacheRecordTimes times;
  std::uint32_t fields;
  std::uint32_t beats;
  std::uint64_t body_length;
};

std::optional<RecordHead> read_head(Reader& reader) noexcept {
  if (reader.text(kMagic.size()) != kMagic) return std::nullopt;
  if (reader.number<std::uint32_t>() != kVersion) return std::nullopt;
  RecordHead head{};
  head.status = reader.number<std::uint16_t>();
  head.flags = reader.number<std::uint16_t>();
  head.length = reader.number<std::uint64_t>();
  head.times.stored_at = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  head.times.expires_at = static_cast<std::int64_t>(reader.number<std::uint64_t>());
  head.fields = reader.number<std::uint32_t>();
  head.beats = reader.number<std::uint32_t>();
  head.body_length = reader.number<std::uint64_t>();
  if (reader.failed()) return std::nullopt;
  return head;
}

bool whole(const CacheKey& key, std::string_view record) noexcept {
  if (record.size() < kHeadBytes + kChecksumBytes) return false;
  Reader end(record.substr(record.size() - kChecksumBytes));
  record.remove_suffix(kChecksumBytes);
  return end.number<std::uint64_t>() == checksum(key, record);
}

void read_fields(Reader& reader, std::uint32_t count, std::vector<CacheField>& fields) {
  if (count > reader.left() / kFieldBytes) return reader.fail();
  fields.reserve(count);
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    const std::uint32_t name_length = reader.number<std::uint32_t>();
    const std::uint32_t value_length = reader.number<std::uint32_t>();
    const std::string_view name = reader.text(name_length);
    const std::string_view value = reader.text(value_length);
    fields.push_back({std::string(name), std::string(value)});
  }
}

void read_rhythm(Reader& reader, std::uint32_t count, std::vector<StreamBeat>& rhythm) {
  if (count > reader.left() / kBeatBytes) return reader.fail();
  rhythm.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    StreamBeat& beat = rhythm.emplace_back();
    beat.offset = reader.number<std::uint64_t>();
    beat.at_ms = reader.number<std::uint32_t>();
  }
}

}  // namespace

std::string encode_cache_entry(const CacheKey& key, const CacheEntry& entry) {
  std::string out;
  const std::size_t length = record_bytes(entry);
  out.reserve(length);
  out.append(kMagic);
  append(out, kVersion);
  append(out, static_cast<std::uint16_t>(entry.status));
  append(out, entry.event_stream ? kEventStream : std::uint16_t{0});
  append(out, std::uint64_t{length});
  append(out, static_cast<std::uint64_t>(entry.stored_at));
  append(out, static_cast<std::uint64_t>(entry.expires_at));
  append(out, static_cast<std::uint32_t>(entry.fields.size()));
  append(out, static_cast<std::uint32_t>(entry.rhythm.size()));
  append(out, std::uint64_t{entry.body.size()});
  for (const CacheField& field : entry.fields) {
    append(out, static_cast<std::uint32_t>(field.name.size()));
    append(out, static_cast<std::uint32_t>(field.value.size()));
    out.append(field.name).append(field.value);
  }
  for (const StreamBeat& beat : entry.rhythm) {
    append(out, beat.offset);
    append(out, beat.at_ms);
  }
  out.append(entry.body);
  append(out, checksum(key, out));
  return out;
}

std::optional<CacheEntry> decode_cache_entry(const CacheKey& key, std::string_view record) {
  if (!whole(key, record)) return std::nullopt;
  Reader reader(record.substr(0, record.size() - kChecksumBytes));
  const std::optional<RecordHead> head = read_head(reader);
  if (!head || head->length != record.size() || head->status < 100 || head->status > 999 ||
      (head->flags & ~kEventStream) != 0) {
    return std::nullopt;
  }
  CacheEntry entry;
  entry.status = head->status;
  entry.event_stream = (head->flags & kEventStream) != 0;
  entry.stored_at = head->times.stored_at;
  entry.expires_at = head->times.expires_at;
  read_fields(reader, head->fields, entry.fields);
  read_rhythm(reader, head->beats, entry.rhythm);
  entry.body = reader.text(head->body_length);
  if (reader.failed() || reader.left() != 0) return std::nullopt;
  return entry;
}

std::optional<CacheRecordTimes> cache_record_times(std::string_view record) noexcept {
  Reader reader(record);
  const std::optional<RecordHead> head = read_head(reader);
  if (!head) return std::nullopt;
  return head->times;
}

}  // namespace aifd::services
