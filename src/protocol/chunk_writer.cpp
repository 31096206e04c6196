#include "chunk_writer.hpp"

#include <algorithm>
#include <array>

namespace aifd::protocol {
namespace {

constexpr std::array<std::string_view, 5> kRepeated{"id", "created", "model", "service_tier",
                                                    "system_fingerprint"};
constexpr std::array<std::string_view, 4> kNotRepeated{"object", "choices", "usage", "error"};
constexpr std::size_t kMostHeadBytes = 2048;

template <std::size_t kCount>
bool is_one_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

ChunkWriter::ChunkWriter(const JsonObject& answer, std::string_view object, bool include_usage)
    : head_("data: {"), include_usage_(include_usage) {
  append_member(head_, "object", object);
  for (const JsonItem& item : answer.members()) {
    if (is_one_of(kRepeated, item.key)) {
      append_member(head_, item.key, item.value);
    } else if (!is_one_of(kNotRepeated, item.key)) {
      extra_ += ',';
      std::string member;
      append_member(member, item.key, item.value);
      extra_ += member;
    }
  }
  if (include_usage) usage_ = answer.get("usage");
}

bool ChunkWriter::is_sound() const noexcept {
  return head_.size() <= kMostHeadBytes;
}

void ChunkWriter::begin_choice(std::size_t index, bool has_logprobs) {
  index_ = std::to_string(index);
  has_logprobs_ = has_logprobs;
}

void ChunkWriter::write(std::string_view body, std::string_view logprobs) {
  write_end(body, logprobs, R"("finish_reason":null)");
}

void ChunkWriter::write_end(std::string_view body, std::string_view logprobs,
                            std::string_view end) {
  stream_ += head_;
  stream_ += R"(,"choices":[{"index":)";
  stream_ += index_;
  stream_ += ',';
  stream_ += body;
  if (has_logprobs_) append_member(stream_, "logprobs", logprobs);
  stream_ += ',';
  stream_ += end;
  stream_ += "}]";
  if (include_usage_) stream_ += R"(,"usage":null)";
  stream_ += extra_;
  extra_.clear();
  stream_ += "}\n\n";
}

std::string ChunkWriter::finish() {
  if (!usage_.empty() && usage_ != "null") {
    stream_ += head_;
    stream_ += R"(,"choices":[])";
    append_member(stream_, "usage", usage_);
    stream_ += "}\n\n";
  }
  stream_ += "data: [DONE]\n\n";
  return std::move(stream_);
}

}  // namespace aifd::protocol
