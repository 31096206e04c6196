#include "aifd/admin/cache_report.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <span>

#include "aifd/base/hex.hpp"
#include "aifd/chain/reply.hpp"
#include "aifd/protocol/dialect.hpp"

namespace aifd::admin {
namespace {

using services::CacheStat;

struct Counter {
  std::string_view name;
  std::uint64_t CacheStat::*value;
};
constexpr std::array kCounters{
    Counter{"hits", &CacheStat::hits},       Counter{"misses", &CacheStat::misses},
    Counter{"away", &CacheStat::away},       Counter{"stored", &CacheStat::stored},
    Counter{"dropped", &CacheStat::dropped}, Counter{"evicted", &CacheStat::evicted},
};

CacheReport trouble_report(const CacheFacts& facts, const std::string& trouble) {
  return {503, "text/plain", facts.place + " cannot be used at the moment: " + trouble + "\n"};
}

std::string json_string(std::string_view text) {
  std::string out;
  protocol::append_json_escaped(out, text);
  return '"' + out + '"';
}

std::string number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

std::string stat_json(const CacheStat& stat, const CacheFacts& facts) {
  std::string text = "{\"store\":" + json_string(facts.place);
  const auto add = [&text](std::string_view name, const std::string& value) {
    text.append(",\"").append(name).append("\":").append(value);
  };
  add("entries", number_or_null(stat.entries));
  add("bytes", number_or_null(stat.bytes));
  add("max_bytes", facts.max_bytes > 0 ? std::to_string(facts.max_bytes) : "null");
  add("trouble", stat.trouble.empty() ? "null" : json_string(stat.trouble));
  if (facts.counted) {
    for (const Counter& counter : kCounters) {
      add(counter.name, std::to_string(stat.*counter.value));
    }
  }
  return text + "}\n";
}

std::string show_size(std::uint64_t bytes) {
  static constexpr std::array kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string show_hits(const CacheStat& stat) {
  std::string text = std::to_string(stat.hits);
  const double asked = static_cast<double>(stat.hits) + static_cast<double>(stat.misses);
  if (asked == 0) return text;
  std::array<char, 32> share{};
  std::snprintf(share.data(), share.size(), " (%.1f %%)",
                100 * static_cast<double>(stat.hits) / asked);
  return text + share.data();
}

std::string stat_table(const CacheStat& stat, const CacheFacts& facts) {
  constexpr std::size_t kNameWidth = 9;
  std::string text;
  const auto add = [&text](std::string name, const std::string& value) {
    name.resize(kNameWidth, ' ');
    text += name + value + "\n";
  };
  add("store", facts.place);
  if (!stat.trouble.empty()) add("trouble", stat.trouble);
  add("entries", stat.entries ? std::to_string(*stat.entries) : "unknown");
  add("size", (stat.bytes ? show_size(*stat.bytes) : "unknown") +
                  (facts.max_bytes > 0 ? " of " + show_size(facts.max_bytes) : std::string()));
  if (!facts.counted) return text;
  for (const Counter& counter : kCounters) {
    const bool hits = counter.value == &CacheStat::hits;
    add(std::string(counter.name), hits ? show_hits(stat) : std::to_string(stat.*counter.value));
  }
  return text;
}

std::string show_time(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  std::array<char, 32> text{};
  if (::gmtime_r(&time, &parts) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return std::to_string(seconds);
  }
  return text.data();
}

std::string message_of(const services::CacheEntry& entry) {
  std::string text = "HTTP/1.1 " + std::to_string(entry.status) + " " +
                     std::string(chain::reason_phrase(entry.status)) + "\r\n";
  const auto add = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  for (const services::CacheField& field : entry.fields) {
    if (!field.name.starts_with(':')) add(field.name, field.value);  // the cache's own note
  }
  add("x-aifd-stored", show_time(entry.stored_at));
  add("x-aifd-expires", entry.expires_at == 0 ? "never" : show_time(entry.expires_at));
  return text + "\r\n" + entry.body;
}

}  // namespace

CacheReport report_stat(const CacheStat& stat, const CacheFacts& facts, bool as_json) {
  if (as_json) return {200, "application/json", stat_json(stat, facts)};
  return {200, "text/plain", stat_table(stat, facts)};
}

CacheReport report_clearing(const services::CacheClearing& clearing, const CacheFacts& facts) {
  if (!clearing.trouble.empty()) return trouble_report(facts, clearing.trouble);
  std::string text = "Cleared " + facts.place;
  if (const auto& entries = clearing.entries) {
    text += ": " + std::to_string(*entries) + (*entries == 1 ? " answer" : " answers");
  }
  return {200, "text/plain", text + "\n"};
}

CacheReport report_entry(const services::CacheStore& store, const CacheFacts& facts,
                         const services::CacheEntryPtr& entry) {
  if (entry) return {200, "message/http", message_of(*entry)};
  const CacheStat stat = store.stat();
  if (!stat.trouble.empty()) return trouble_report(facts, stat.trouble);
  return {404, "text/plain", facts.place + " has no answer of this key\n"};
}

std::optional<services::CacheKey> parse_cache_key(std::string_view text) noexcept {
  services::CacheKey key{};
  if (text.size() != 2 * key.size()) return std::nullopt;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return key;
}

}  // namespace aifd::admin
