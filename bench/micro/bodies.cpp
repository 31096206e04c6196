#include <benchmark/benchmark.h>

#include <optional>

#include "aifd/protocol/canonical_json.hpp"
#include "aifd/protocol/event_splitter.hpp"
#include "aifd/protocol/json_peek.hpp"
#include "aifd/protocol/usage_scanner.hpp"
#include "aifd/services/cache_key.hpp"
#include "operation.hpp"
#include "samples.hpp"

namespace aifd::bench {
namespace {

using benchmark::DoNotOptimize;

std::function<void()> split_events() {
  return [text = stream()] {
    protocol::EventSplitter splitter;
    for (std::string_view rest = text; !rest.empty();) {
      DoNotOptimize(splitter.begins_event(rest));
      rest.remove_prefix(splitter.take(rest));
    }
  };
}

// One piece an event, as they come from a model that thinks.
std::function<void()> scan_events() {
  return [] {
    protocol::UsageScanner scanner(protocol::Dialect::openai);
    for (std::size_t i = 0; i < kEvents; ++i) scanner.feed(kEvent);
    DoNotOptimize(scanner.usage());
  };
}

std::function<void()> scan_answer() {
  return [text = answer_body()] {
    protocol::UsageScanner scanner(protocol::Dialect::openai);
    scanner.feed(text);
    DoNotOptimize(scanner.usage());
  };
}

std::function<void()> make_key() {
  return [fields = protocol::Fields{}] {
    const std::optional<std::string> body =
        protocol::canonical_json(kRequestBody, protocol::kFieldsOutsideCacheKey);
    DoNotOptimize(
        services::make_cache_key({"https://api.openai.com", "POST", "/v1/chat/completions", "",
                                  fields, "level 0", protocol::CacheKeyBody::canonical, *body}));
  };
}

auto peek(std::string body) {
  return [body = std::move(body)] { DoNotOptimize(protocol::peek_json(body)); };
}

}  // namespace

void add_body_operations(Operations& operations) {
  operations.push_back(
      {"peek into a request of 113 bytes", [] { return peek(std::string(kRequestBody)); }});
  operations.push_back({"peek into a request of 30 KB", [] { return peek(long_request_body()); }});
  operations.push_back({"cache key of a request of 113 bytes", make_key});
  operations.push_back({"canonical form of a request of 30 KB", [] {
                          return [body = long_request_body()] {
                            DoNotOptimize(
                                protocol::canonical_json(body, protocol::kFieldsOutsideCacheKey));
                          };
                        }});
  operations.push_back({"split an event off", split_events, kEvents});
  operations.push_back({"scan an event for its usage", scan_events, kEvents});
  operations.push_back({"scan an answer of 600 bytes for its usage", scan_answer});
}

}  // namespace aifd::bench
