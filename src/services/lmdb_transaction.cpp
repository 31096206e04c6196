#include "lmdb_transaction.hpp"

#include <utility>

#include "aifd/services/cache_entry_codec.hpp"

namespace aifd::services {
namespace {

constexpr char kEntry = 'e';
constexpr char kAge = 'a';
constexpr std::size_t kMostEvictedAtOnce = 4096;

std::string entry_key(const CacheKey& key) {
  std::string text(1, kEntry);
  text.append(reinterpret_cast<const char*>(key.data()), key.size());
  return text;
}

// `entry` is an entry's key with its letter.
std::string age_key(std::int64_t stored_at, std::string_view entry) {
  std::string text(1, kAge);
  for (int shift = 56; shift >= 0; shift -= 8) {
    text.push_back(static_cast<char>(static_cast<std::uint64_t>(stored_at) >> shift));
  }
  text.append(entry.substr(1));
  return text;
}

MDB_val value_of(std::string_view text) noexcept {
  return {text.size(), const_cast<char*>(text.data())};
}

std::string_view text_of(const MDB_val& value) noexcept {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

}  // namespace

LmdbTransaction::LmdbTransaction(MDB_env* environment, unsigned flags, MDB_dbi database)
    : database_(database), code_(::mdb_txn_begin(environment, nullptr, flags, &handle_)) {}

LmdbTransaction::~LmdbTransaction() {
  if (handle_) ::mdb_txn_abort(handle_);
}

int LmdbTransaction::open_database(MDB_dbi& database) {
  return ::mdb_dbi_open(handle_, nullptr, 0, &database);
}

int LmdbTransaction::commit() {
  return ::mdb_txn_commit(std::exchange(handle_, nullptr));
}

int LmdbTransaction::get(const CacheKey& key, std::string_view& found) {
  return get(entry_key(key), found);
}

int LmdbTransaction::get(std::string_view key, std::string_view& found) {
  MDB_val wanted = value_of(key);
  MDB_val value{};
  const int code = ::mdb_get(handle_, database_, &wanted, &value);
  if (code == 0) found = text_of(value);
  return code;
}

int LmdbTransaction::put(const CacheRecord& record) {
  const std::string key = entry_key(record.key);
  if (const int code = drop_entry(key)) return code;
  if (const int code = put(key, record.bytes)) return code;
  return put(age_key(record.stored_at, key), {});
}

int LmdbTransaction::put(std::string_view key, std::string_view bytes) {
  MDB_val wanted = value_of(key);
  MDB_val value = value_of(bytes);
  return ::mdb_put(handle_, database_, &wanted, &value, 0);
}

int LmdbTransaction::drop(const CacheKey& key) {
  return drop_entry(entry_key(key));
}

int LmdbTransaction::drop(std::string_view key) {
  MDB_val wanted = value_of(key);
  const int code = ::mdb_del(handle_, database_, &wanted, nullptr);
  return code == MDB_NOTFOUND ? 0 : code;
}

// An entry, and its age.
int LmdbTransaction::drop_entry(const std::string& key) {
  std::string_view old;
  if (const int code = get(key, old)) return code == MDB_NOTFOUND ? 0 : code;
  const auto times = cache_record_times(old);
  if (const int code = times ? drop(age_key(times->stored_at, key)) : 0) return code;
  return drop(key);
}

int LmdbTransaction::make_room(std::uint64_t needed, std::uint64_t max_bytes,
                               std::uint64_t& dropped) {
  for (std::size_t i = 0; i < kMostEvictedAtOnce && bytes() + needed > max_bytes; ++i) {
    if (const int code = drop_oldest(dropped)) return code == MDB_NOTFOUND ? 0 : code;
  }
  return 0;
}

int LmdbTransaction::drop_oldest(std::uint64_t& dropped) {
  std::string oldest;
  const int code = first_from(std::string(1, kAge), oldest);
  if (code != 0) return code;
  if (oldest.size() != 1 + 8 + CacheKey{}.size() || oldest.front() != kAge) return MDB_NOTFOUND;
  ++dropped;
  if (const int failed = drop(kEntry + oldest.substr(9))) return failed;
  return drop(oldest);
}

// The first key from `from` on.
int LmdbTransaction::first_from(std::string_view from, std::string& key) {
  MDB_cursor* cursor = nullptr;
  if (const int code = ::mdb_cursor_open(handle_, database_, &cursor)) return code;
  MDB_val found = value_of(from);
  MDB_val value{};
  const int code = ::mdb_cursor_get(cursor, &found, &value, MDB_SET_RANGE);
  if (code == 0) key = text_of(found);
  ::mdb_cursor_close(cursor);
  return code;
}

int LmdbTransaction::drop_expired(std::string& from, std::int64_t now, std::size_t most) {
  std::vector<std::string> expired;
  if (from.empty()) from = kEntry;
  if (const int code = find_expired(from, now, most, expired)) return code;
  for (const std::string& key : expired) {
    if (const int code = drop_entry(key)) return code;
  }
  return 0;
}

int LmdbTransaction::find_expired(std::string& from, std::int64_t now, std::size_t most,
                                  std::vector<std::string>& expired) {
  MDB_cursor* cursor = nullptr;
  if (const int code = ::mdb_cursor_open(handle_, database_, &cursor)) return code;
  MDB_val key = value_of(from);
  MDB_val value{};
  int code = ::mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  for (; code == 0 && most > 0; --most) {
    const auto times = cache_record_times(text_of(value));
    const bool gone = !times || (times->expires_at != 0 && times->expires_at <= now);
    if (gone) expired.emplace_back(text_of(key));
    code = ::mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  from = code == 0 ? std::string(text_of(key)) : "";
  ::mdb_cursor_close(cursor);
  return code == MDB_NOTFOUND ? 0 : code;
}

std::uint64_t LmdbTransaction::bytes() const {
  MDB_stat stat{};
  if (::mdb_stat(handle_, database_, &stat) != 0) return 0;
  return (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
}

std::uint64_t LmdbTransaction::records() const {
  MDB_stat stat{};
  return ::mdb_stat(handle_, database_, &stat) == 0 ? stat.ms_entries / 2 : 0;
}

}  // namespace aifd::services
