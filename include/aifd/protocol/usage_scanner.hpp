// The token counts that an answer reports, found while it streams past.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "aifd/protocol/dialect.hpp"
#include "aifd/protocol/usage_key.hpp"

namespace aifd::protocol {

struct TokenUsage {
  std::uint64_t input = 0;   // of the prompt, cached parts included
  std::uint64_t output = 0;  // of the answer, thoughts included
  std::uint64_t total = 0;   // as reported, else the sum

  friend bool operator==(const TokenUsage&, const TokenUsage&) = default;
};

// Fed with the pieces of one answer's body, cut anywhere; on one thread. A key's raw text followed
// by a colon cannot stand inside a JSON string, where quotes are escaped, so nothing but the few
// bytes of a report is ever parsed and an answer's text cannot forge one.
//
// Counts that are negative, fractions or over a trillion are ignored, as are null, objects that do
// not end within 8 KiB, and a report of nothing but zeros. Of several reports (each event of a
// stream may have one, cumulative) the largest of each kind counts.
//
// Sources: platform.openai.com/docs/api-reference (chat, completions, embeddings, responses),
// docs.anthropic.com/en/api/messages-streaming, ai.google.dev/api/generate-content#UsageMetadata,
// github.com/ollama/ollama/blob/main/docs/api.md.
class UsageScanner {
 public:
  // The dialect of the answer says which reports are looked for: "usageMetadata" (gemini),
  // "prompt_eval_count" and "eval_count" (ollama), else "usage".
  explicit UsageScanner(Dialect dialect) noexcept;

  void feed(std::string_view bytes) noexcept;

  // What was reported so far; nullopt where nothing was.
  std::optional<TokenUsage> usage() const noexcept;

  // Lines that begin with "data:", or for ollama with "{": in a stream without a report one such
  // event is about one token.
  std::uint64_t events() const noexcept { return events_; }

  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  void count_events(std::string_view bytes) noexcept;
  void match_event_start(std::string_view bytes) noexcept;

  std::array<UsageKey, 2> keys_;
  std::size_t key_count_;
  UsageCounts counts_{};
  std::string_view event_start_;
  std::size_t line_matched_ = 0;  // of event_start_, at the end of what came
  bool at_line_start_ = true;     // the line may still begin with event_start_
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace aifd::protocol
