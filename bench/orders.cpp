#include "orders.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace bench {
namespace {

constexpr std::string_view kBegin = "bench id=";
constexpr std::string_view kChunkEnd = "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";

std::string padded(std::uint32_t id) {
  std::string result(kIdDigits, '0');
  put_digits(result.data(), kIdDigits, id);
  return result;
}

std::string chunk_begin(std::uint32_t id) {
  return "data: {\"id\":\"chatcmpl-" + padded(id) +
         "\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,\"model\":\"gpt-4o\","
         "\"choices\":[{\"index\":0,\"delta\":{";
}

// Reads "name=number", moves behind it and the space after it.
bool take_number(std::string_view& from, std::string_view name, std::uint32_t& result) {
  if (!from.starts_with(name) || from.substr(name.size(), 1) != "=") return false;
  from.remove_prefix(name.size() + 1);
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), result);
  if (error != std::errc() || end == from.data() + from.size()) return false;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()) + 1);
  return true;
}

}  // namespace

std::string_view text(std::size_t size) {
  static std::string words;
  for (std::uint32_t number = static_cast<std::uint32_t>(words.size() / 8); words.size() < size;
       ++number) {
    char word[9] = "w000000 ";
    put_digits(word + 1, 6, number);
    words.append(word, 8);
  }
  return std::string_view(words).substr(0, size);
}

void put_digits(char* to, std::size_t size, std::uint64_t number) {
  for (char* at = to + size; at != to; number /= 10) *--at = static_cast<char>('0' + number % 10);
}

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t result = 0;
  for (const char byte : text) {
    if (byte < '0' || byte > '9') return std::nullopt;
    result = result * 10 + static_cast<std::uint64_t>(byte - '0');
  }
  return result;
}

std::string request_body(const Orders& orders, std::string_view model) {
  std::string body = "{\"model\":\"";
  body.append(model).append("\",");
  if (orders.events != 0) body += "\"stream\":true,";
  body += "\"temperature\":1,\"messages\":[{\"role\":\"user\",\"content\":\"";
  body.append(kBegin).append(padded(orders.id));
  const auto add = [&](const char* name, std::uint32_t value) {
    body.append(" ").append(name).append("=").append(std::to_string(value));
  };
  add("bytes", orders.bytes);
  add("events", orders.events);
  add("gap_us", orders.gap_us);
  add("echo", orders.echo);
  add("pad", orders.pad);
  body.append(":").append(text(orders.pad)).append("\"}]}");
  return body;
}

std::size_t id_place(std::string_view request_body) {
  return request_body.find(kBegin) + kBegin.size();
}

std::optional<Orders> orders_in(std::string_view request_body) {
  const std::size_t begin = request_body.find(kBegin);
  if (begin == std::string_view::npos) return std::nullopt;
  std::string_view rest = request_body.substr(begin + 6);
  Orders orders;
  if (!take_number(rest, "id", orders.id) || !take_number(rest, "bytes", orders.bytes) ||
      !take_number(rest, "events", orders.events) || !take_number(rest, "gap_us", orders.gap_us) ||
      !take_number(rest, "echo", orders.echo) || !take_number(rest, "pad", orders.pad)) {
    return std::nullopt;
  }
  const bool whole =
      rest.size() > orders.pad && rest[orders.pad] == '"' && rest.starts_with(text(orders.pad));
  return whole ? std::optional(orders) : std::nullopt;
}

std::string answer_text(const Orders& orders) {
  const std::size_t fixed = answer_with(0, "").size() + kIdDigits + 1;
  const std::size_t size = orders.bytes > fixed ? orders.bytes - fixed : 0;
  return padded(orders.id).append(" ").append(text(size));
}

std::string answer_with(std::uint32_t id, std::string_view text) {
  std::string body =
      "{\"id\":\"chatcmpl-" + padded(id) +
      "\",\"object\":\"chat.completion\",\"created\":1767225600,\"model\":\"gpt-4o\","
      "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"";
  body.append(text);
  return body.append(
      "\"},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"prompt_tokens\":21,\"completion_tokens\":84,\"total_tokens\":105}}");
}

EventTemplate::EventTemplate(std::uint32_t id) {
  bytes = chunk_begin(id) + "\"content\":\" " + padded(id) + ".";
  index_place = bytes.size();
  bytes.append(kIndexDigits, '0').append("@");
  time_place = bytes.size();
  bytes.append(kTimeDigits, '0').append(kChunkEnd);
}

void EventTemplate::fill(std::uint32_t index, std::uint64_t time) {
  put_digits(bytes.data() + index_place, kIndexDigits, index);
  put_digits(bytes.data() + time_place, kTimeDigits, time);
}

std::string stream_end(std::uint32_t id) {
  return chunk_begin(id) + "},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
}

}  // namespace bench
