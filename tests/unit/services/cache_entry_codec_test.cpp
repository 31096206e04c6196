#include "aifd/services/cache_entry_codec.hpp"

#include <gtest/gtest.h>

#include "cache_samples.hpp"
#include "crc64.hpp"

namespace aifd::services {
namespace {

// With a checksum that is right, so that the rest is looked at.
std::string sealed(const CacheKey& key, std::string record) {
  record.resize(record.size() - 8);
  const std::string_view key_bytes(reinterpret_cast<const char*>(key.data()), key.size());
  const std::uint64_t sum = crc64(record, crc64(key_bytes));
  for (int i = 0; i < 8; ++i) record.push_back(static_cast<char>(sum >> (8 * i)));
  return record;
}

TEST(Crc64, IsTheOneOfTheCatalogue) {
  EXPECT_EQ(crc64("123456789"), 0x995DC9BBDF1939FA);
  EXPECT_EQ(crc64(""), 0U);
  EXPECT_EQ(crc64("6789", crc64("12345")), crc64("123456789"));
  EXPECT_EQ(crc64("123456789 and more", 7), crc64("9 and more", crc64("12345678", 7)));
}

TEST(CacheEntryCodec, GivesBackWhatWasPutIn) {
  const CacheEntry entry = cache_sample();
  EXPECT_EQ(decode_cache_entry(cache_key(1), encode_cache_entry(cache_key(1), entry)), entry);
  const CacheEntry plain;
  EXPECT_EQ(decode_cache_entry(cache_key(1), encode_cache_entry(cache_key(1), plain)), plain);
}

TEST(CacheEntryCodec, GivesBackLargeBodies) {
  CacheEntry entry = cache_sample();
  entry.body.assign(3'000'001, 'x');
  EXPECT_EQ(decode_cache_entry(cache_key(1), encode_cache_entry(cache_key(1), entry)), entry);
}

TEST(CacheEntryCodec, RefusesARecordOfAnotherKey) {
  const std::string record = encode_cache_entry(cache_key(1), cache_sample());
  EXPECT_FALSE(decode_cache_entry(cache_key(2), record));
}

TEST(CacheEntryCodec, RefusesEveryTruncation) {
  const std::string record = encode_cache_entry(cache_key(1), cache_sample());
  for (std::size_t length = 0; length < record.size(); ++length) {
    EXPECT_FALSE(decode_cache_entry(cache_key(1), std::string_view(record).substr(0, length)));
  }
  EXPECT_FALSE(decode_cache_entry(cache_key(1), record + '\0'));
}

TEST(CacheEntryCodec, RefusesEveryFlippedBit) {
  std::string record = encode_cache_entry(cache_key(1), cache_sample());
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    const char mask = static_cast<char>(1U << (bit % 8));
    record[bit / 8] ^= mask;
    EXPECT_FALSE(decode_cache_entry(cache_key(1), record)) << bit;
    record[bit / 8] ^= mask;
  }
}

// What a checksum does not find: every bit, sealed anew, is read within bounds.
TEST(CacheEntryCodec, ReadsWithinBoundsWhateverTheRecordSays) {
  const CacheKey key = cache_key(1);
  const std::string record = encode_cache_entry(key, cache_sample());
  for (std::size_t bit = 0; bit < (record.size() - 8) * 8; ++bit) {
    std::string changed = record;
    changed[bit / 8] ^= static_cast<char>(1U << (bit % 8));
    const auto entry = decode_cache_entry(key, sealed(key, changed));
    EXPECT_NE(entry, cache_sample()) << bit;
  }
}

TEST(CacheEntryCodec, RefusesWhatItCannotHaveMade) {
  const CacheKey key = cache_key(1);
  const std::string record = encode_cache_entry(key, cache_sample());
  const auto with = [&](std::size_t at, char value) {
    std::string changed = record;
    changed[at] = value;
    return decode_cache_entry(key, sealed(key, changed));
  };
  EXPECT_TRUE(with(24, 0));   // a time: any will do
  EXPECT_FALSE(with(8, 2));   // a version to come
  EXPECT_FALSE(with(13, 7));  // a status above 999
  EXPECT_FALSE(with(14, 3));  // a flag to come
  EXPECT_FALSE(with(43, 1));  // millions of fields
  EXPECT_FALSE(with(47, 1));  // millions of beats
  EXPECT_FALSE(with(55, 1));  // a body longer than all
}

TEST(CacheEntryCodec, ReadsTheTimesAlone) {
  const std::string record = encode_cache_entry(cache_key(1), cache_sample());
  const auto times = cache_record_times(std::string_view(record).substr(0, 56));
  ASSERT_TRUE(times);
  EXPECT_EQ(times->stored_at, 1'700'000'000);
  EXPECT_EQ(times->expires_at, 1'700'000'600);
  EXPECT_FALSE(cache_record_times(std::string_view(record).substr(0, 55)));
  EXPECT_FALSE(cache_record_times("x" + record));
}

}  // namespace
}  // namespace aifd::services
