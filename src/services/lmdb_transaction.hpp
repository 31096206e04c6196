// What the answer cache does to LMDB in one transaction.
//
// The database holds two kinds of keys: "e" and the record's key, with the record; "a", when it was
// stored (8 bytes, highest first) and the record's key, with nothing, to find the oldest.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cache_records.hpp"

namespace aifd::services {

// Aborted unless committed. All functions give LMDB's codes, 0 where all went well.
class LmdbTransaction {
 public:
  LmdbTransaction(MDB_env* environment, unsigned flags, MDB_dbi database);
  LmdbTransaction(const LmdbTransaction&) = delete;
  LmdbTransaction& operator=(const LmdbTransaction&) = delete;
  ~LmdbTransaction();

  int begun() const noexcept { return code_; }  // nothing else may be called but after 0
  int open_database(MDB_dbi& database);
  int commit();

  // `found` is the file's own, until the transaction ends.
  int get(const CacheKey& key, std::string_view& found);
  int put(const CacheRecord& record);
  int drop(const CacheKey& key);  // also of what is not there

  // Lets the oldest go until `needed` fit into max_bytes, but not too many at once.
  int make_room(std::uint64_t needed, std::uint64_t max_bytes, std::uint64_t& dropped);

  // Drops what has expired of up to `most` records from the key `from` on, which becomes the
  // next one's; "": from the first, and that the last was seen.
  int drop_expired(std::string& from, std::int64_t now, std::size_t most);

  std::uint64_t bytes() const;  // of pages in use
  std::uint64_t records() const;

 private:
  int get(std::string_view key, std::string_view& found);
  int put(std::string_view key, std::string_view bytes);
  int drop(std::string_view key);
  int drop_entry(const std::string& key);
  int drop_oldest(std::uint64_t& dropped);
  int first_from(std::string_view from, std::string& key);
  int find_expired(std::string& from, std::int64_t now, std::size_t most,
                   std::vector<std::string>& expired);

  MDB_txn* handle_ = nullptr;
  const MDB_dbi database_;
  int code_ = 0;
};

}  // namespace aifd::services
